/** The page in a notebook's cell: what it asks of its server goes through a port to the cell's widget, cell.js. */

import { startShell } from './app.js';
import { $ } from './dom.js';
import { decodeFrame } from './frames.js';
import { open as openHome } from './home.js';
import { open as openRun } from './run.js';
import { open as openScript } from './script.js';
import { download } from './socket.js';
import { open as openStudy } from './study.js';
import { open as openSweep } from './sweep.js';
import { look } from './theme.js';
import { t } from './words.js';

const PIECE = 1 << 18; // bytes of a file that are sent at once: the notebook's own server takes no large messages

/** Wait for the port. With it comes {address, lang, theme}. */
export function start() {
  addEventListener(
    'message',
    ({ data, ports }) => {
      if (ports[0]) run(ports[0], data);
    },
    { once: true },
  );
}

function run(port, { address, lang, theme }) {
  const { words } = JSON.parse($('#parts').textContent);
  const takers = new Map(); // by the id of a WebSocket or request
  let shell = null;
  let last = 0;

  port.onmessage = ({ data }) => {
    if ('id' in data) takers.get(data.id)?.(data);
    if ('theme' in data && (data.theme === 'dark') !== look.dark) $('#theme').click();
    if ('trouble' in data) tell(data.trouble);
  };

  /** What is told of id comes to take, its pieces joined; → id. */
  function listen(take) {
    const id = ++last;
    let pieces = [];
    takers.set(id, ({ more, bytes, ...message }) => {
      if (bytes) pieces.push(bytes);
      if (more) return;
      const whole = pieces.length === 1 ? pieces[0] : joined(pieces);
      pieces = [];
      if (message.is === 'closed') takers.delete(id);
      take({ ...message, bytes: whole });
    });
    return id;
  }

  /** A kernel that is busy takes nothing for a while; one that is gone has closed all that was open. */
  function tell(trouble) {
    if (trouble === 'gone') for (const take of [...takers.values()]) take({ is: 'closed' });
    shell?.connected(trouble ?? 'open', 0, trouble && t(`kernel_${trouble}`));
  }

  const transport = (path) => {
    let id = null;
    return {
      connect() {
        const own = listen(({ is, bytes }) => {
          if (is === 'open') this.onopen();
          else if (is === 'text') this.onmessage(JSON.parse(new TextDecoder().decode(bytes)));
          else if (is === 'bytes') this.onmessage(decodeFrame(bytes));
          else if (own === id) this.onclose();
        });
        id = own;
        port.postMessage({ id, do: 'connect', path });
      },
      send(message) {
        port.postMessage({ id, do: 'text', text: JSON.stringify(message) });
      },
      close() {
        port.postMessage({ id, do: 'close' });
      },
      take: (form) => download(`/api/take/${path.split('/').at(-1)}/${form}`, form),
    };
  };

  /** What a page fetches comes through the port, too. */
  globalThis.fetch = async (path, { method = 'GET', headers = {}, body = null } = {}) => {
    let id = null;
    const answer = new Promise((resolve, reject) => {
      id = listen(({ is, status, headers, bytes }) => {
        if (is === 'answer') resolve(new Response(bytes, { status, headers }));
        else reject(new TypeError());
      });
    });
    port.postMessage({ id, do: 'request', method, path, headers, more: Boolean(body) });
    const whole = body && (await new Response(body).arrayBuffer());
    for (let at = 0; body && at < Math.max(1, whole.byteLength); at += PIECE)
      port.postMessage({ id, do: 'body', more: at + PIECE < whole.byteLength, bytes: whole.slice(at, at + PIECE) });
    return answer;
  };

  /** Pages that scroll as a whole are as high as what is on them. */
  const fitted = new ResizeObserver(() => {
    const page = $('.page');
    port.postMessage({ height: page ? $('.bar').offsetHeight + page.scrollHeight : null });
  });

  function go(to) {
    address = to;
    port.postMessage({ address });
    return shell.open();
  }
  document.addEventListener('click', (event) => {
    const link = /** @type {Element} */ (event.target).closest('a[href^="/"]');
    if (!link) return;
    event.preventDefault();
    go(link.getAttribute('href'));
  });

  new MutationObserver(() => {
    fitted.disconnect();
    for (const child of $('#stage').children) fitted.observe(child);
  }).observe($('#stage'), { childList: true });

  startShell({
    brand: 'treino studio',
    pages: [
      [/^\/run\/([^/]+)$/, () => ({ open: openRun })],
      [/^\/sweep\/([^/]+)$/, () => ({ open: openSweep })],
      [/^\/study\/([^/]+)$/, () => ({ open: openStudy })],
      [/^\/script$/, () => ({ open: openScript })],
      [/^\//, () => ({ open: openHome })],
    ],
    address: () => address,
    asked: (name) => ({ lang, theme })[name] ?? null,
    transport,
    words: (language) => words[language],
    own: { go },
    begun(made) {
      shell = made;
    },
  });
}

function joined(pieces) {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(new Uint8Array(piece), at);
    at += piece.byteLength;
  }
  return whole.buffer;
}
