/** The studio's entry: its pages, and the server that its words and messages come from. */

import { startShell } from './app.js';
import { socketTransport } from './socket.js';

/**
 * What the address asks for, after its ? or #. A language holds for this tab, until another is chosen, and leaves the
 * address.
 */
function asked(name) {
  const address = new URL(location.href);
  const behind = new URLSearchParams(address.hash.slice(1));
  const value = address.searchParams.get(name) ?? behind.get(name);
  if (name !== 'lang') return value;
  try {
    if (value) {
      sessionStorage.setItem('treino.language', value);
      for (const each of [address.searchParams, behind]) each.delete(name);
      address.hash = String(behind);
      history.replaceState(history.state, '', address);
    }
    return sessionStorage.getItem('treino.language');
  } catch {
    // a frame of another site keeps nothing
    return value;
  }
}

startShell({
  brand: 'treino studio',
  pages: [
    [/^\/(?:run\/([^/]+)|start)$/, () => import('./run.js')],
    [/^\/sweep\/([^/]+)$/, () => import('./sweep.js')],
    [/^\/study\/([^/]+)$/, () => import('./study.js')],
    [/^\/script$/, () => import('./script.js')],
    [/^\/(?:home|playground)?$/, () => import('./home.js')],
  ],
  address: () => location.pathname,
  asked,
  transport: socketTransport,
  async words(language) {
    const answer = await fetch(`/words/${language}`);
    if (!answer.ok) throw new Error(`/words/${language}: ${answer.status}`);
    return answer.json();
  },
});
