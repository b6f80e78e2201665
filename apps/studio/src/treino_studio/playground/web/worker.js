/**
 * What trains: runs and crowds in a worker, or in the page itself where workers are blocked.
 *
 * It is told {open: {kernel, words, language}} once, then {language}, {create: {name, problem, settings, step,
 * actions}}, {connect: name, port}, {forget: name} and {crowd: port}; it answers {opened: {relaxed}}, {created: name},
 * or {error: {rule, message, hint}, name}; name is null where it can't open at all. After an error of create nothing is
 * there by that name.
 */

import { setWords } from '../../page/modules/words.js';
import { serveCrowd } from './crowd_worker.js';
import { loadLanes } from './lanes.js';
import { create, forget, serve } from './run_server.js';

/** Answer what comes to scope: the worker's self, or a MessagePort. */
export function answer(scope) {
  let words = {};
  let opening = null;
  const speak = (language) => setWords(language, words[language]);

  const acts = {
    async open({ kernel, words: all, language }) {
      words = all;
      speak(language);
      const lanes = await loadLanes(await unpacked(kernel));
      scope.postMessage({ opened: { relaxed: lanes.relaxed } });
      return lanes;
    },
    language: speak,
    create(request, lanes) {
      create(lanes, request);
      scope.postMessage({ created: request.name });
    },
    connect: (name, _lanes, { port }) => serve(port, name),
    forget,
    crowd: (port, lanes) => serveCrowd(lanes, port),
  };

  /** One message after the other: what comes while the kernel is loading waits for it. */
  let last = Promise.resolve();
  scope.onmessage = ({ data }) => {
    last = last.then(async () => {
      const [verb, value] = Object.entries(data)[0];
      try {
        if (verb === 'open') opening = acts.open(value);
        if (verb === 'open') await opening;
        else await acts[verb](value, await opening, data);
      } catch (error) {
        scope.postMessage({
          name: value?.name ?? null,
          error: { rule: error.rule ?? 'failed', message: error.message, hint: error.hint ?? '' },
        });
      }
    });
  };
}

/** The kernel's module, out of base64 of gzip. */
async function unpacked(packed) {
  const zipped = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  return new Uint8Array(
    await new Response(new Blob([zipped]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer(),
  );
}
