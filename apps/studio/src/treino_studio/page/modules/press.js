/** A press: a button that has sent a command says so at once, and takes no other press until it is answered. */

let pressed = null; // the button whose click is being handled
let sent = null; // the button that has sent a command in this click, or in the first of a double click

/** Listen for presses; underway() marks buttons from then on. A worker, which has no page, does without. */
export function startPresses() {
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

/**
 * Show on the button that is being pressed, if one is, that a command is underway; → its answer. A second click of a
 * double click means what the first meant; with data-repeats each press counts, as those of Step.
 *
 * @template T
 * @param {Promise<T>} answer
 */
export function underway(answer) {
  const button = pressed;
  if (!button) return answer;
  sent = button;
  button.dataset.sent = '';
  const over = () => button.removeAttribute('data-sent');
  answer.then(over, over);
  return answer;
}
