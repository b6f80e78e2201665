// The player of a film: its pictures lie in the page, and one of them is seen.
((root) => {
  const pictures = root.querySelectorAll('img');
  const last = pictures.length - 1;
  const slider = root.querySelector('input');
  const speed = root.querySelector('select');
  const play = root.querySelector('.play');
  const cursor = root.querySelector('.track line');
  let at = last;
  let timer = 0;

  function show(frame) {
    pictures[at].hidden = true;
    at = Math.max(0, Math.min(last, frame));
    pictures[at].hidden = false;
    slider.value = String(at);
    slider.setAttribute('aria-valuetext', pictures[at].alt);
    for (const end of ['x1', 'x2']) cursor.setAttribute(end, String(last ? (100 * at) / last : 0));
  }
  function stop() {
    clearInterval(timer);
    timer = 0;
    play.setAttribute('aria-pressed', 'false');
  }
  function start() {
    clearInterval(timer);
    if (at === last) show(0);
    play.setAttribute('aria-pressed', 'true');
    timer = setInterval(() => (at < last ? show(at + 1) : stop()), 160 / Number(speed.value));
  }
  function go(frame) {
    stop();
    show(frame);
  }
  function toggle() {
    if (timer) stop();
    else start();
  }

  play.addEventListener('click', toggle);
  root.querySelector('.back').addEventListener('click', () => go(at - 1));
  root.querySelector('.on').addEventListener('click', () => go(at + 1));
  slider.addEventListener('input', () => go(Number(slider.value)));
  speed.addEventListener('change', () => {
    if (timer) start();
  });
  // the keys work at once while the film is in view, unless something else of the page has them
  const seen = () => {
    const { top, bottom } = root.getBoundingClientRect();
    return top + bottom > 0 && top + bottom < 2 * innerHeight;
  };
  document.addEventListener('keydown', (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (!root.contains(target) && !(target === document.body && seen())) return;
    const act = {
      ' ': toggle,
      ArrowLeft: () => go(at - 1),
      ArrowRight: () => go(at + 1),
      Home: () => go(0),
      End: () => go(last),
    }[event.key];
    if (!act || target === speed || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === ' ' && target.tagName === 'BUTTON') return; // it presses the button
    event.preventDefault();
    act();
  });
  show(last);
})(document.currentScript.parentElement);
