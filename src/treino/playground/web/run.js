/**
 * One run: a network in training, its segments, and every step of its past.
 *
 * A run, which the server and its tools (fan.js, microscope.js, findings.js, saving.js) read:
 *
 *   lanes, name, problem, prepared (problems.js)
 *   status         'running', 'finished' or 'diverged'; metrics: {train, validation, test} of the kept weights, once it is over
 *   step, loop     updates done; the TrainingLoop that is there (loop.net is the Population)
 *   segments       all of them: {number, origin: [segment, step] | null, settings, changes, text, plan, sets, optimizerFrom}
 *                  settings: all of `treino train` at its first step, beta1 and beta2 for betas; changes: from the one before;
 *                  sets: [{step, name, value}] changed while it trains, from the update after `step` on; plan: see steps.js;
 *                  optimizerFrom: the step at which the optimizer's moments were 0
 *   path           [{segment, first, stop}]: the steps from `first` updates on, to `stop` (null: the last), of the newest segment
 *   losses         history.js: .length, .mean(from, to), .curve(most)
 *   epochs         [{epoch, step, train: {loss}, validation: {loss, accuracy | rmse} | {}}]
 *   marks, replay  [{segment, step, text}]; [[step, verb, fields]], what makes the path again
 *   view           {step (null: the newest), axes, unit}, as `look` has it
 *
 *   at(step)       → {segment, step, settings (in force for the next update), loop, loss}: the run after so many updates.
 *                  loop.net has the weights, loop.segment.plan the batches; both are good until the next at(). Leave the
 *                  loop as it is (loop.save() and loop.load(state) bring it back).
 *   inView()       the same of the step in view
 *   future(moment, changes, copies = 1)
 *                  → a TrainingLoop of a new segment with these changes from that moment on, which nothing else knows: set
 *                  each copy's numbers by .set(name, value, copy), .advance(stop), read .net, and .close() it.
 *   rewind(step, changes)   the next segment, from a step on (what `adopt` as segment does)
 */
