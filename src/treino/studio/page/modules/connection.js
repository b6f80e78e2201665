/** The socket to the studio: commands and their replies, frames and their acknowledgements, lost and found again. */

import { decodeFrame } from './frames.js';

const PROTOCOL = 1;
const FIRST_WAIT = 500, LONGEST_WAIT = 8000; // milliseconds until the next attempt

/** What the server refused: rule, message and hint, in the viewer's language. */
export class Refusal extends Error {
  constructor({ rule, message, hint }) {
    super(message);
    Object.assign(this, { rule, hint });
  }
}

/**
 * path: "/socket/run/wine-1". language(): the viewer's. receive(message): an object of the server's, or a frame.
 * status(kind, seconds): "open"; "lost", with the seconds until the next attempt; "refused", with 0 and why.
 */
export class Connection {
  constructor(path, { language, receive, status }) {
    Object.assign(this, { path, language, receive, status });
    this.viewer = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
    this.number = 0;
    this.waiting = new Map(); // id → {text, resolve, reject}: commands without a reply yet, in their order
    this.wait = FIRST_WAIT;
    this.closed = false;
    this.hurry = () => { if (this.timer) this.#open(); };
    addEventListener('online', this.hurry);
    this.#open();
  }

  /** Send a command; → its reply. It rejects with a Refusal, and waits where there is no connection. */
  send(verb, fields = {}) {
    const id = ++this.number, text = JSON.stringify({ id, do: verb, ...fields });
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { text, resolve, reject });
      if (this.ready) this.socket.send(text);
    });
  }

  /** Frame N is drawn: the server may send the next. */
  acknowledge(frame) {
    if (this.ready) this.socket.send(JSON.stringify({ ack: frame }));
  }

  /** Say hello again, as in another language. */
  reopen() {
    if (this.ready) this.socket.close();
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    removeEventListener('online', this.hurry);
    this.socket.close();
  }

  get ready() { return this.socket?.readyState === WebSocket.OPEN; }

  #open() {
    clearTimeout(this.timer);
    this.timer = null;
    const address = new URL(this.path, location.href);
    address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(address);
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => this.#greet());
    socket.addEventListener('message', ({ data }) => this.#take(data));
    socket.addEventListener('close', () => { if (socket === this.socket) this.#lost(); });
  }

  /** Hello first, then every command that has no reply yet, under its own number. */
  #greet() {
    const before = [...this.waiting.values()];
    this.send('hello', { protocol: PROTOCOL, viewer: this.viewer, language: this.language() }).then(
      () => { this.wait = FIRST_WAIT; this.status('open', 0); },
      (refusal) => this.#refused(refusal),
    );
    for (const { text } of before) if (!text.includes('"do":"hello"')) this.socket.send(text);
  }

  /** The server has no such page, or speaks another protocol: another attempt would end the same way. */
  #refused(refusal) {
    this.close();
    this.status('refused', 0, [refusal.message, refusal.hint].filter(Boolean).join(' '));
  }

  #take(data) {
    if (typeof data !== 'string') return this.receive(decodeFrame(data));
    const message = JSON.parse(data);
    if (!('reply' in message)) return this.receive(message);
    const command = this.waiting.get(message.reply);
    this.waiting.delete(message.reply);
    if (!command) return;
    if (message.error) command.reject(new Refusal(message.error));
    else command.resolve(message);
  }

  #lost() {
    if (this.closed) return;
    for (const [id, { text }] of this.waiting) if (text.includes('"do":"hello"')) this.waiting.delete(id);
    this.status('lost', this.wait / 1000);
    this.timer = setTimeout(() => this.#open(), this.wait * (0.8 + 0.4 * Math.random()));
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
  }
}
