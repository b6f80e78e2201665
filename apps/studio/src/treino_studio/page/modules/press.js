/**
 * A press: a button that has sent a command says so at once, and takes no other press until it is answered; nothing
 * moves away under a press before its click.
 */

let pressed = null; // the button whose click is being handled
let sent = null; // the button that has sent a command in this click, or in the first of a double click
const unanswered = new WeakMap(); // button → how many of its commands have no answer yet
let held = false; // whether a button of the mouse, or a finger that taps, is down
const moves = new Set(); // what waits for its end

/** Listen for presses; underway() marks buttons from then on. A worker, which has no page, does without. */
export function startPresses() {
  const down = (event) => {
    held = event.button === 0; // a menu of the right one may keep its end
  };
  const up = () =>
    setTimeout(() => {
      held = false; // after the click
      for (const move of moves) move();
      moves.clear();
    });
  document.addEventListener('mousedown', down, true);
  for (const end of ['mouseup', 'dragend']) document.addEventListener(end, up, true);
  document.addEventListener(
    'click',
    (event) => {
      const button = /** @type {Element} */ (event.target).closest('button');
      const again = (event.detail > 1 && sent) || button?.hasAttribute('data-sent');
      if (again && !button?.hasAttribute('data-repeats')) {
        event.stopImmediatePropagation();
        event.preventDefault();
        return;
      }
      if (event.detail < 2) sent = null;
      pressed = button;
      setTimeout(() => {
        pressed = null;
      });
    },
    true,
  );
}

/** Do what may move something on the page, at once or after the press that is underway: it would miss its button. */
export function afterPress(move) {
  if (held) moves.add(move);
  else move();
}

/**
 * Show on a button, by default the one that is being pressed, if one is, that something is underway: a command, or
 * several in a row; → its answer. A second click of a double click means what the first meant; with data-repeats each
 * press counts, as those of Step.
 *
 * @template T
 * @param {Promise<T>} answer
 */
export function underway(answer, button = pressed) {
  if (!button) return answer;
  sent = button;
  const count = (more) => {
    unanswered.set(button, (unanswered.get(button) ?? 0) + more);
    button.toggleAttribute('data-sent', unanswered.get(button) > 0);
  };
  count(1);
  answer.catch(() => {}).then(() => count(-1));
  return answer;
}
