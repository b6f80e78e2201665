/** The transport of a page with a server: a WebSocket for messages, HTTP for files. */

import { decodeFrame } from './frames.js';
import { language } from './words.js';

/**
 * A transport is what a Connection sends and receives by. It has connect(), send(message) and close(), and calls
 * onopen(), onmessage(message) and onclose(), which its Connection sets; after onclose() it can connect again.
 * Messages are objects; a frame is its header, with parts: {name: {data, shape}}.
 * beats is true where it may fall silent without a close: the Connection then asks now and then whether it answers.
 * take(form) is there where files come by another way than the verb "take": → {name, type, text or bytes}.
 *
 * path: "/socket/run/wine-1".
 */
export function socketTransport(path) {
  let socket = null;
  return {
    beats: true,
    connect() {
      const address = new URL(path, location.href);
      address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
      const opened = new WebSocket(address);
      socket = opened;
      socket.binaryType = 'arraybuffer';
      socket.addEventListener('open', () => this.onopen());
      socket.addEventListener('message', ({ data }) =>
        this.onmessage(typeof data === 'string' ? JSON.parse(data) : decodeFrame(data)),
      );
      socket.addEventListener('close', () => {
        if (opened === socket) this.onclose();
      });
    },
    send(message) {
      socket.send(JSON.stringify(message));
    },
    close() {
      socket.close();
    },
    take: (form) => download(`/api/take/${path.split('/').at(-1)}/${form}`, form),
  };
}

/** A file that the server makes; it throws what the server says where it can't. */
export async function download(address, form) {
  const answer = await fetch(address, { headers: { 'Accept-Language': language.now.replace('_', '-') } });
  if (!answer.ok) {
    const { error } = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(error?.message ?? `${answer.status}`), error);
  }
  const name = /filename\*?=(?:utf-8'')?"?([^";]+)/i.exec(answer.headers.get('content-disposition') ?? '')?.[1] ?? form;
  const type = answer.headers.get('content-type');
  return type?.startsWith('text/')
    ? { name, type, text: await answer.text() }
    : { name, type, bytes: await answer.arrayBuffer() };
}
