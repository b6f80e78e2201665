/**
 * The widget of a notebook's cell: a frame with the studio's page, what goes between the page and the kernel, and
 * what is said where there is no kernel. notebook_channel.py describes the messages.
 */

const TALLEST = 860; // pixels
const LOWEST = 420; // pixels
const QUIET = 8000; // milliseconds without a sign of life
const REST = 15000; // milliseconds between two of the page's own

export default { render };

function render({ model, el }) {
  const view = Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, '0')).join('');
  const words = model.get('words');
  const tallest = Math.max(LOWEST, Math.min(TALLEST, 0.8 * screen.availHeight));
  const note = document.createElement('p');
  const frame = document.createElement('iframe');
  let port = null;
  let address = model.get('address');
  let theme = null;
  let trouble = null;
  let sent = 0;
  let sentBefore = 0;
  let saidAt = 0;
  let heardAt = 0;
  let ended = false;

  note.textContent = words.opening;
  note.setAttribute('role', 'status');
  Object.assign(frame.style, {
    display: 'block',
    width: '100%',
    border: '0',
    borderRadius: '8px',
    height: `${tallest}px`,
  });
  frame.setAttribute('sandbox', 'allow-scripts allow-downloads allow-modals allow-popups');
  frame.allow = 'clipboard-write';
  frame.title = 'treino studio';
  el.replaceChildren(note);

  function say(message, buffers = []) {
    if (ended) return;
    saidAt = Date.now();
    try {
      model.send({ view, n: ++sent, ...message }, undefined, buffers);
    } catch {
      // its channel is closed
      end();
    }
  }

  const tell = (message, moved = []) => port?.postMessage(message, moved);

  function suffer(next) {
    if (next === trouble) return;
    trouble = next;
    if (!port && next === 'gone') note.textContent = words.gone;
    tell({ trouble });
  }
  /** The kernel was restarted or has ended: it won't come back to this view. */
  function end() {
    ended = true;
    suffer('gone');
  }

  /** The page is loaded; again, where a notebook has moved the cell. */
  frame.addEventListener('load', () => {
    if (port) say({ do: 'gone' });
    const channel = new MessageChannel();
    port = channel.port1;
    port.onmessage = ({ data: { bytes, ...message } }) => {
      if ('height' in message)
        frame.style.height = `${Math.max(LOWEST, Math.min(tallest, message.height ?? tallest))}px`;
      else if ('address' in message) address = message.address;
      else say(message, bytes ? [bytes] : []);
    };
    theme = themeOf(el);
    frame.contentWindow.postMessage({ address, lang: model.get('language'), theme }, '*', [channel.port2]);
    if (trouble) tell({ trouble });
  });

  async function take(message, buffers) {
    if (message.view !== view) return;
    const [bytes] = buffers.map((b) => new Uint8Array(b.buffer ?? b, b.byteOffset ?? 0, b.byteLength).slice().buffer);
    if (message.is === 'page') {
      frame.srcdoc = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
      el.replaceChildren(frame);
    } else if (message.is === 'alive') {
      heardAt = Date.now();
      suffer(message.n < sentBefore ? 'busy' : null);
      sentBefore = sent;
      if (heardAt - saidAt > REST) say({ do: 'here' });
    } else tell({ ...message, bytes }, bytes ? [bytes] : []);
  }

  const look = () => {
    if (heardAt && Date.now() - heardAt > QUIET) suffer('gone');
    const next = themeOf(el);
    if (next === theme || !port) return;
    theme = next;
    tell({ theme });
  };
  const leave = () => say({ do: 'gone' });
  const timer = setInterval(look, 1000);

  hideStored(el);
  model.on('msg:custom', take);
  model.on('comm_live_update', end);
  model.on('destroy', end);
  addEventListener('pagehide', leave);
  say({ do: 'page' });
  setTimeout(() => {
    if (!heardAt) suffer('gone');
  }, QUIET);

  return () => {
    clearInterval(timer);
    removeEventListener('pagehide', leave);
    leave();
    for (const [name, act] of [
      ['msg:custom', take],
      ['comm_live_update', end],
      ['destroy', end],
    ])
      model.off(name, act);
  };
}

/** Light or dark, as what lies behind the cell is. */
function themeOf(el) {
  const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  for (let node = el; node; node = node.parentElement ?? node.getRootNode().host) {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = getComputedStyle(node).backgroundColor;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    if (a > 127) return 0.3 * r + 0.59 * g + 0.11 * b < 128 ? 'dark' : 'light';
  }
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

/** The sentence beside the widget is for stored notebooks, in which this doesn't run. */
function hideStored(el) {
  requestAnimationFrame(() => {
    for (let node = el.parentElement; node; node = node.parentElement) {
      const sentence = node.querySelector('.treino-studio-stored');
      if (sentence) {
        sentence.hidden = true;
        return;
      }
    }
  });
}
