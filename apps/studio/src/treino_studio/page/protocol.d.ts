// Messages, settings and columns' programs, as tools/page_types.py writes them from the models.
// 49f2f3c7ffbef6e4d95b81933bab7fb2185c15a22897e5d3893aec3d33601e47

export interface Acknowledgement {
  ack: number;
}
export interface AdoptCommand {
  as: "segment" | "branch";
  do: "adopt";
  future: number;
  id: number;
}
export interface BesideCommand {
  do: "beside";
  id: number;
  run: string;
  shown: boolean;
}
export interface Bins {
  do: "bins";
  edges: number[];
  of: number;
}
export interface Choices {
  activation: string[];
  batch_size: (number | string)[];
  live: string[];
  loss: string[];
  optimizer: string[];
  schedule: string[];
}
export interface Circle {
  do: "circle";
  of: number;
  period: number;
}
export interface ColumnProgram {
  column: string;
  shown: number[];
  steps: (
    | ReadNumber
    | ReadSeconds
    | ReadWord
    | Fill
    | Days
    | Part
    | Place
    | Bins
    | Circle
    | OneHot
    | Hash
    | Means
    | Flag
    | Length
    | TermWeights
    | Select
    | Linear
  )[];
  way: string;
}
export interface ReadNumber {
  do: "number";
  of: number;
  required: boolean;
  truth: boolean | null;
}
export interface ReadSeconds {
  clock: boolean;
  do: "seconds";
  of: number;
}
export interface ReadWord {
  do: "word";
  numeric: boolean;
  of: number;
}
export interface Fill {
  do: "fill";
  of: number;
  value: number;
}
export interface Days {
  do: "days";
  of: number;
  origin: number;
}
export interface Part {
  do: "part";
  of: number;
  part: "month" | "weekday" | "hour";
}
export interface Place {
  do: "place";
  of: number;
  values: string[] | number[];
}
export interface OneHot {
  count: number;
  do: "one-hot";
  of: number;
}
export interface Hash {
  count: number;
  do: "hash";
  of: number;
  slots: number[];
}
export interface Means {
  count: number;
  do: "means";
  means: number[];
  of: number;
  prior: number;
}
export interface Flag {
  do: "flag";
  of: number;
}
export interface Length {
  do: "length";
  letters: string;
  of: number;
}
export interface TermWeights {
  do: "terms";
  letters: string;
  of: number;
  terms: string[];
  weights: number[];
}
export interface Select {
  count: number;
  do: "select";
  of: number;
  scale: number;
}
export interface Linear {
  do: "linear";
  of: number;
  of_target: boolean;
  slopes: number[];
  terms: number;
}
export interface CommandToScript {
  do: "step" | "set" | "press" | "checkpoint" | "checkpoints" | "rewind" | "return" | "fan" | "adopt";
  id: number;
  [k: string]: unknown;
}
export interface Commands {
  home: HelloCommand | PlainCommand | TrainCommand | SweepCommand | StudyCommand | DeleteCommand;
  run:
    | HelloCommand
    | PlainCommand
    | StepCommand
    | SpeedCommand
    | SetCommand
    | SegmentCommand
    | LookCommand
    | DrawCommand
    | BesideCommand
    | FanCommand
    | AdoptCommand
    | ExplainCommand
    | ProponentsCommand
    | KeepCommand;
  script: HelloCommand | PlainCommand | CommandToScript;
  start: HelloCommand | PlainCommand | StepCommand;
  study: HelloCommand | PlainCommand;
  sweep: HelloCommand | PlainCommand | OpenCommand | ExtendCommand;
}
export interface HelloCommand {
  do: "hello";
  id: number;
  language?: "en" | "pt_BR";
  protocol: number;
  viewer: string;
}
export interface PlainCommand {
  do: "steer" | "play" | "pause" | "stop";
  id: number;
}
export interface TrainCommand {
  data: string;
  do: "train";
  id: number;
  paused?: boolean;
  settings?: {
    [k: string]: number | boolean | string | (number | boolean | string)[] | null;
  };
}
export interface SweepCommand {
  data: string;
  do: "sweep";
  id: number;
  members?: number;
  settings?: {
    [k: string]: number | boolean | string | (number | boolean | string)[] | null;
  };
  space: string[];
}
export interface StudyCommand {
  batch_sizes?: number[];
  data: string;
  do: "study";
  id: number;
  settings?: {
    [k: string]: number | boolean | string | (number | boolean | string)[] | null;
  };
}
export interface DeleteCommand {
  do: "delete";
  id: number;
  runs: string[];
}
export interface StepCommand {
  count?: number;
  do: "step" | "epoch";
  id: number;
}
export interface SpeedCommand {
  do: "speed";
  id: number;
  steps_per_second: number | null;
}
export interface SetCommand {
  do: "set";
  id: number;
  name: string;
  value: number | null;
}
export interface SegmentCommand {
  changes?: {
    [k: string]: number | boolean | string | (number | boolean | string)[] | null;
  };
  do: "segment" | "branch";
  id: number;
  step?: number | null;
}
export interface LookCommand {
  axes?: [string, string] | null;
  do: "look";
  id: number;
  member?: number | null;
  picture?: ["train" | "validation" | "test", number] | "drawn" | null;
  segment?: number | null;
  step?: number | null;
  unit?: [number, number] | null;
}
export interface DrawCommand {
  do: "draw";
  id: number;
  pixels: string;
}
export interface FanCommand {
  count: 0 | number;
  do: "fan";
  id: number;
  kind: "lr" | "seed" | "batch_size" | "remedy";
  rule?: string | null;
  step?: number | null;
  steps: number;
}
export interface ExplainCommand {
  do: "explain";
  id: number;
  input?: number | null;
  layer?: number | null;
  unit?: number | null;
}
export interface ProponentsCommand {
  do: "proponents";
  id: number;
  row: number;
}
export interface KeepCommand {
  do: "keep";
  id: number;
  name: string;
}
export interface OpenCommand {
  do: "open";
  id: number;
  member: number;
}
export interface ExtendCommand {
  do: "extend";
  id: number;
  members: number;
}
export interface Comparison {
  a: number;
  b: number;
  interval: number[] | null;
  metric: string;
  rows: number;
}
export interface CurvesOfRun {
  epochs?: EpochOfCurves[];
  from: number;
  high?: (number | null)[];
  left?: number;
  loss: (number | null)[];
  low?: (number | null)[];
  run: string;
  segment?: number;
  step: number[];
  vitals?: Vital[];
}
export interface EpochOfCurves {
  epoch: number;
  members?: {
    [k: string]: (number | null)[];
  };
  step: number;
  train: {
    [k: string]: number | null;
  };
  validation: {
    [k: string]: number | null;
  };
}
export interface Vital {
  gradient_norm: number | null;
  lr: number;
  step: number;
  train: {
    [k: string]: number | null;
  };
  update_ratio: number | null;
}
export interface DataOfRun {
  axes: string[];
  classes: string[];
  decisions: string[];
  features: string[];
  kind: string;
  name: string;
  pictures?: PicturesOfRows;
  rows: {
    [k: string]: number;
  };
  target: string;
  task: string;
}
export interface PicturesOfRows {
  can_draw: boolean;
  channels: number;
  fit: string | null;
  height: number;
  paper: number;
  width: number;
}
export interface EnsembleOfRun {
  answering: number[];
  drawn: number;
  size: number;
}
export interface Examples {
  groups: {
    [k: string]: unknown;
  }[];
  more: number;
  pixels: string;
  shape: number[];
}
export interface FanOfRun {
  best: number | null;
  comparison?: Comparison | null;
  done: number;
  futures: Future[];
  kind: string;
  metric: string;
  number: number;
  split: string;
  step: number;
  steps: number;
}
export interface Future {
  changes: {
    [k: string]: unknown;
  };
  future: number;
  loss: (number | null)[];
  status: string;
  step: number[];
  text: string;
  worth: number | null;
}
export interface FindingOfRun {
  certain: boolean;
  fix: string;
  message: string;
  remedy?: Remedy | null;
  rule: string;
  severity: string;
  step: number | null;
  why: string;
}
export interface Remedy {
  step: number | null;
  text: string;
}
export interface LengthOfRun {
  epochs: number;
  goes_on_to: number;
  over: boolean;
}
export interface ListBlock {
  items: string[];
}
export interface Mark {
  segment: number;
  step: number;
  text: string;
}
export interface NetworkOfRun {
  fixed: ("own" | "cnn" | "batch_norm") | null;
  hidden: number[] | null;
  parameters: number;
}
export interface Notice {
  kind: "info" | "warning" | "busy" | "replay";
  text: string;
}
export interface Paragraph {
  key?: string;
  step?: number | null;
  text: string;
  tone?: "" | "soft" | "alarm" | "good" | "strong";
}
export interface PointsOfRun {
  axes: string[];
  examples?: Examples;
  held: unknown[][];
  high?: number[];
  low?: number[];
  rows: RowsOfPoints[];
  variance?: number[] | null;
  view: string;
}
export interface RowsOfPoints {
  index: number[];
  split: string;
  total: number;
  true: number[];
  x: (number | null)[];
  y: (number | null)[];
}
export interface RunBeside {
  letter: string;
  run: string;
  status: string;
  step: number | null;
  text: string;
}
export interface RunMessages {
  curves?: CurvesOfRun;
  fan?: FanOfRun | null;
  notice?: Notice;
  points?: PointsOfRun;
  state?: RunState;
}
export interface RunState {
  beside: RunBeside[];
  can_steer?: boolean;
  choices: Choices;
  command: string;
  data: DataOfRun;
  ensemble: EnsembleOfRun | null;
  findings: FindingOfRun[];
  history: StretchOfRun[];
  kind: "run";
  last_step: number;
  length?: LengthOfRun;
  letter: string;
  marks: Mark[];
  metrics: {
    [k: string]: {
      [k: string]: number | null;
    } | null;
  } | null;
  name: string;
  network: NetworkOfRun;
  path: string;
  planned_steps: number;
  playing: boolean;
  result: (Paragraph | ListBlock | TableOfTexts)[] | null;
  segment: number;
  segments: SegmentOfRun[];
  settings: {
    [k: string]: unknown;
  };
  status: string;
  steers?: boolean;
  steps_per_epoch: number;
  steps_per_second: number | null;
  unseen: string[];
  view: View;
  viewers?: number;
}
export interface StretchOfRun {
  figures: {
    [k: string]: number | null;
  };
  first: number;
  last: number;
  left: boolean;
  measured: number | null;
  segment: number;
  text: string;
}
export interface TableOfTexts {
  caption: string;
  head: string[];
  keys: string[];
  rows: string[][];
  values: unknown[][];
}
export interface SegmentOfRun {
  number: number;
  origin: number[] | null;
  text: string;
}
export interface View {
  axes: string[] | [string, string] | null;
  member?: number | null;
  picture?: (string | number)[] | [string, number] | "drawn" | null;
  segment: number | null;
  step: number | null;
  unit: number[] | [number, number] | null;
}
export interface Settings {
  activation?: string | null;
  as_taught?: boolean;
  augment?: string | null;
  baselines?: "usual" | "full";
  batch_norm?: boolean;
  batch_size?: number | "full" | null;
  betas?: [number, number] | null;
  bins?: number;
  blocks?: number | null;
  channels?: number[] | null;
  class_pattern?: string | null;
  class_weights?: number[] | "balanced" | null;
  clip?: number | null;
  clip_inputs?: number | null;
  clip_target?: boolean;
  coverage?: number | null;
  data_seed?: number | null;
  dates?:
    ("day/month" | "month/day" | "day/month/year" | "month/day/year" | "year/month/day" | "year/day/month") | null;
  decimal?: string | null;
  delimiter?: string | null;
  device?: string;
  dropout?: number | null;
  dropout_spread?: boolean;
  duplicates?: ("apart" | "ignore") | null;
  ema?: number;
  encoding?: string | null;
  engine?: string | null;
  ensemble?: number;
  epochs?: number | null;
  eps?: number;
  every?: number | null;
  fault?: string[];
  features?: string[] | null;
  fit?: "crop" | "pad" | "stretch";
  flip?: boolean | null;
  fold?: string | null;
  gates?: number;
  group_norm?: number | null;
  head?: ("flatten" | "average") | null;
  header?: ("yes" | "no") | null;
  hidden?: number[] | null;
  image_size?: [number, number] | null;
  impute?: "median" | "mean";
  init?: string | null;
  inputs?: "plain" | "bins";
  keep?: ("best" | "last") | null;
  kernel?: number[] | null;
  kinds?: string[];
  label_smoothing?: number;
  labels?: string | null;
  log_target?: boolean | null;
  loss?: string | null;
  lr?: number | null;
  max_memory?: string | null;
  member_epochs?: number[] | null;
  metric?: string;
  missing?: string[] | null;
  momentum?: number;
  name?: string | null;
  nesterov?: boolean;
  net?: string | null;
  normalise?: boolean;
  optimizer?: string;
  out?: string | null;
  padding?: number[] | "same" | null;
  patience?: number | null;
  plain_members?: number;
  pool?: string[] | null;
  precision?: "float32" | "bf16";
  quantiles?: number[] | null;
  quote?: string | null;
  recipe?: ("table" | "plain") | null;
  refit?: boolean;
  row_weights?: string | null;
  schedule?: string | null;
  seed?: number;
  sheet?: string | null;
  shuffle?: "each" | "once" | "off" | "blocks";
  skip?: number | null;
  skip_bad?: number;
  split_column?: string | null;
  split_group?: string | null;
  split_time?: string | null;
  steps?: number | null;
  stride?: number[] | null;
  target?: string | null;
  target_means?: boolean;
  task?: ("classification" | "regression") | null;
  test?: number | string | null;
  threads?: number | null;
  threshold?: string | null;
  time_limit?: number | null;
  trees?: number;
  validation?: number | string | null;
  warmup?: number;
  weight_decay?: number;
}
