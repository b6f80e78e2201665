/** The studio's entry: its pages, and the server that its words and messages come from. */

import { startShell } from './app.js';
import { socketTransport } from './socket.js';

startShell({
  brand: 'treino studio',
  pages: [
    [/^\/run\/([^/]+)$/, () => import('./run.js')],
    [/^\/sweep\/([^/]+)$/, () => import('./sweep.js')],
    [/^\/study\/([^/]+)$/, () => import('./study.js')],
    [/^\/script$/, () => import('./script.js')],
    [/^\/(?:home|playground)?$/, () => import('./home.js')],
  ],
  address: () => location.pathname,
  asked: (name) => new URLSearchParams(location.search).get(name),
  transport: socketTransport,
  async words(language) {
    const answer = await fetch(`/words/${language}`);
    if (!answer.ok) throw new Error(`/words/${language}: ${answer.status}`);
    return answer.json();
  },
});
