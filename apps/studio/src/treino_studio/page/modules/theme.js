/** Light or dark, and the style sheet's colours as numbers for what is drawn on canvases. */

export const look = {};
const NAMES = [
  'ink',
  'soft',
  'line',
  'strong',
  'panel',
  'plot',
  'train',
  'val',
  'train-text',
  'val-text',
  'train-figure',
  'val-figure',
  'accent',
  'alarm',
  'mark',
  'over',
  'under',
  'ghost',
  'halo',
];
const LIGHT = [
  '#0072b2',
  '#e69f00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#d55e00',
  '#d8c80a',
  '#332288',
  '#882255',
  '#999933',
  '#44aa99',
  '#661100',
];
const DARK = [
  '#2f96d8',
  '#e69f00',
  '#12b88a',
  '#d88cb6',
  '#7cc8f2',
  '#f07a2a',
  '#d8c80a',
  '#8d7ff0',
  '#d0669a',
  '#b5b54a',
  '#5cc8b6',
  '#c26a5a',
];

export const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

/** The colour of a class: twelve that everybody tells apart, then hues that lie far from each other. */
export function classColour(k) {
  const own = (look.dark ? DARK : LIGHT)[k];
  return own ?? hue((k * 137.508) % 360, look.dark ? 0.62 : 0.42);
}

/** A hex colour of a hue in degrees, at a saturation of 0.6. */
function hue(degrees, lightness) {
  const chroma = 0.6 * Math.min(lightness, 1 - lightness);
  const channel = (n) => {
    const k = (n + degrees / 30) % 12;
    const value = lightness - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(value * 255)
      .toString(16)
      .padStart(2, '0');
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}

/** Read the style sheet's colours anew, after the theme has changed. */
export function readLook() {
  const style = getComputedStyle(document.documentElement);
  for (const name of NAMES) look[name.replace('-', '_')] = style.getPropertyValue(`--${name}`).trim();
  look.dark = document.documentElement.dataset.theme === 'dark';
  look.font = style.fontFamily || 'system-ui, sans-serif';
  look.paper = rgb(look.plot);
  look.overRGB = rgb(look.over);
  look.underRGB = rgb(look.under);
  look.version = (look.version ?? 0) + 1; // what was drawn in the colours before is drawn again
}

function stored() {
  try {
    return localStorage.getItem('treino.theme');
  } catch {
    return null;
  }
}

/** The theme asked for (null: none), chosen before, or the system's, which is followed as it changes. */
export function startTheme(asked, changed) {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  use(asked ?? stored() ?? (dark.matches ? 'dark' : 'light'));
  dark.addEventListener('change', () => {
    if (stored()) return;
    use(dark.matches ? 'dark' : 'light');
    changed();
  });
}

export function otherTheme() {
  const next = look.dark ? 'light' : 'dark';
  try {
    localStorage.setItem('treino.theme', next);
  } catch {
    /* a private window keeps nothing */
  }
  use(next);
}

function use(theme) {
  document.documentElement.dataset.theme = theme;
  readLook();
}
