/** What of a page cannot be read: wider than the screen, cut, in two lines within a word, or under something else. */
() => {
  const faults = new Set();
  const say = (kind, ...what) => faults.add(`${kind}: ${what.join(' ')}`);
  const told = (node) =>
    `${node.localName}${node.id && `#${node.id}`}${node.parentElement.id && ` of #${node.parentElement.id}`}`;
  // columns' and data's own names, which stand whole in the list that opens
  const OWN = '#axes, #home-data, #lens-from, #data-drawer';
  const seen = (node) => node.checkVisibility({ visibilityProperty: true }) && !node.closest('.vh, #tip');
  const layer = (node) =>
    node.closest('.drawer, .menu, dialog, #notices, .found, .choices') ??
    node.closest('.bar, .transport, thead, .newest');
  const scrolls = (node) =>
    node &&
    ((/auto|scroll/.test(getComputedStyle(node).overflowX) && node.scrollWidth > node.clientWidth) ||
      scrolls(node.parentElement));
  const pen = document.createElement('canvas').getContext('2d');
  const parts = [];
  if (document.scrollingElement.scrollWidth > innerWidth) say('wide', document.scrollingElement.scrollWidth);

  /** The part of a box that its ancestors let through; null: nothing. */
  function left(node, { left: l, top: t, right: r, bottom: b }) {
    for (let n = node; n && n !== document.body && n !== document.documentElement; n = n.parentElement) {
      const { overflowX, overflowY, display, clipPath, position } = getComputedStyle(n);
      const box = n.getBoundingClientRect();
      if (clipPath !== 'none') return null;
      if (display !== 'inline' && overflowX !== 'visible') [l, r] = [Math.max(l, box.left), Math.min(r, box.right)];
      if (display !== 'inline' && overflowY !== 'visible') [t, b] = [Math.max(t, box.top), Math.min(b, box.bottom)];
      if (position === 'fixed') break;
    }
    return r - l > 1 && b - t > 1 ? { l, t, r, b } : null;
  }
  const met = (a, b) => Math.min(a.r, b.r) - Math.max(a.l, b.l) > 1 && Math.min(a.b, b.b) - Math.max(a.t, b.t) > 3;

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (texts.nextNode()) {
    const { currentNode: text } = texts;
    const { parentElement: node } = text;
    const words = text.data.trim();
    if (!words || node.closest('script, style, select, textarea, svg, math') || !seen(node)) continue;
    range.selectNodeContents(text);
    for (const rect of range.getClientRects()) {
      const held = left(node, rect);
      if (held) parts.push({ node, words, ...held });
      if (held && rect.width > held.r - held.l + 1.5 && !scrolls(node)) say('cut', told(node), words);
    }
    for (const { 0: word, index } of node.closest('code, pre, .output')
      ? []
      : text.data.matchAll(/(?<![\p{L}\d])[\p{L}\d]{2,40}(?![\p{L}\d])/gu)) {
      range.setStart(text, index);
      range.setEnd(text, index + word.length);
      if (
        new Set([...range.getClientRects()].filter(({ width }) => width > 0.5).map(({ top }) => Math.round(top))).size >
        1
      )
        say('broken', told(node), word);
    }
  }
  for (const node of document.querySelectorAll(
    'button, select, input:not([type=range], [type=checkbox], [type=radio], [type=file])',
  )) {
    const held = seen(node) && left(node.parentElement, node.getBoundingClientRect());
    if (!held) continue;
    parts.push({ node, words: '', ...held });
    const style = getComputedStyle(node);
    const words = node.matches('select')
      ? node.selectedOptions[0]?.text
      : node.matches('input')
        ? node.value || node.placeholder
        : '';
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const most = node.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) + 1;
    if (words && pen.measureText(words).width > most && !node.closest(OWN)) say('cut', told(node), words);
  }
  for (const { node, words, r } of parts) if (r > innerWidth + 1) say('outside', told(node), words);
  parts.forEach((a, k) =>
    parts.slice(k + 1).forEach((b) => {
      if (met(a, b) && !a.node.contains(b.node) && !b.node.contains(a.node) && layer(a.node) === layer(b.node))
        say('over', told(a.node), a.words, '/', told(b.node), b.words);
    }),
  );
  for (const canvas of [...document.querySelectorAll('canvas')].filter(seen)) {
    const { width, height } = canvas.getBoundingClientRect();
    const drawn = canvas.drawn ?? [];
    const small = canvas.id === 'network-canvas' && width < 520; // the box beside the pointer has an input's whole name
    drawn.forEach((a, k) => {
      if (a.l < -1 || a.r > width + 1 || a.t < -2 || a.b > height + 2) say('outside', told(canvas), a.words);
      if (a.words.includes('…') && !small) say('cut', told(canvas), a.words);
      for (const b of drawn.slice(k + 1))
        if (a.words !== b.words && met(a, b)) say('over', told(canvas), a.words, '/', b.words);
    });
  }
  return [...faults];
};
