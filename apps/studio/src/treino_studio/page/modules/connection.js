/** Commands and their replies, frames and their acknowledgements, over a transport that may be lost and come back. */

const PROTOCOL = 1;
const FIRST_WAIT = 500; // milliseconds until the next attempt
const LONGEST_WAIT = 8000; // milliseconds until the next attempt, at most
const BEAT = 2000; // milliseconds between two looks
const MUTE = 3; // silent looks until that is shown
const GONE = 12; // silent looks until it connects anew

/**
 * The fields that a page of this kind sends with a verb, as the server reads them.
 *
 * @import { Commands } from '../protocol.d.ts'
 * @template C
 * @template Verb
 * @typedef {C extends { do: infer Known } ? (Verb extends Known ? Omit<C, 'do' | 'id'> : never) : never} FieldsOf
 */

/**
 * Send a command; → its reply.
 *
 * @template {keyof Commands} Kind
 * @typedef {<Verb extends Commands[Kind]['do']>(
 *   verb: Verb, fields?: FieldsOf<Commands[Kind], Verb>,
 * ) => Promise<any>} Send
 */

/** What the server refused: rule, message and hint, in the viewer's language. */
export class Refusal extends Error {
  constructor({ rule, message, hint }) {
    super(message);
    this.rule = rule;
    this.hint = hint;
  }
}

/** What is refused or wrong, and what to do: its message and its hint, if it has one. */
export const refusalText = ({ message, hint }) => [message, hint].filter(Boolean).join(' ');

/** What is answered, or null where it is refused: why is read out, unless a notice says it to all viewers. */
export async function replyOf(answer, say) {
  try {
    return await answer;
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    if (refusal.rule !== 'replay_left') say(refusalText(refusal), 'warning');
    return null;
  }
}

export const refuse = (rule, message, hint = '') => {
  throw new Refusal({ rule, message, hint });
};

/**
 * transport: what it goes by, described in socket.js. language(): the viewer's. receive(message): an object of the
 * server's, or a frame; where it is lost or mute, the last state once more, as one that nobody steers, with lost: true.
 * status(kind, seconds): "open"; "lost", with the seconds until the next attempt; "mute", as long as the server
 * answers nothing; "refused", with 0 and why.
 *
 * @template {keyof Commands} Kind
 */
export class Connection {
  constructor(transport, { language, receive, status }) {
    this.transport = transport;
    this.language = language;
    this.receive = receive;
    this.status = status;
    this.viewer = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join(
      '',
    );
    this.number = 0;
    this.waiting = new Map(); // id → {message, answer, resolve, reject}: commands without a reply yet, in their order
    this.wait = FIRST_WAIT;
    this.ready = this.reopens = this.closed = false;
    this.silent = 0; // looks since the server was heard
    this.state = null; // the last that it sent
    this.hurry = () => {
      if (this.timer) this.#open();
    };
    Object.assign(transport, {
      onopen: () => this.#greet(),
      onmessage: (message) => this.#take(message),
      onclose: () => this.#lost(),
    });
    addEventListener('online', this.hurry);
    if (transport.beats) this.beats = setInterval(() => this.#beat(), BEAT);
    this.#open();
  }

  /**
   * Send a command; → its reply. It rejects with a Refusal, and waits where there is no connection.
   *
   * @template {Commands[Kind]['do']} Verb
   * @param {Verb} verb
   * @param {FieldsOf<Commands[Kind], Verb>} [fields]
   * @returns {Promise<any>}
   */
  send(verb, fields) {
    return this.#ask(verb, fields);
  }

  #ask(verb, fields) {
    const id = ++this.number;
    const command = { message: { id, do: verb, ...fields } };
    command.answer = new Promise((resolve, reject) => Object.assign(command, { resolve, reject }));
    this.waiting.set(id, command);
    if (this.ready) this.transport.send(command.message);
    return command.answer;
  }

  /** A file made from what the page shows: {name, type, text or bytes}. */
  take(form) {
    return this.transport.take ? this.transport.take(form) : this.#ask('take', { form });
  }

  /** Frame N is drawn: the server may send the next. */
  acknowledge(frame) {
    if (this.ready) this.transport.send({ ack: frame });
  }

  /** Say hello again, as in another language. */
  reopen() {
    this.reopens = this.ready;
    if (this.ready) this.transport.close();
  }

  close() {
    this.closed = true;
    this.ready = false;
    clearTimeout(this.timer);
    clearInterval(this.beats);
    removeEventListener('online', this.hurry);
    this.transport.close();
  }

  #open() {
    clearTimeout(this.timer);
    this.timer = null;
    this.transport.connect();
  }

  /** Hello first, then every command that has no reply yet, under its own number. */
  #greet() {
    this.ready = true;
    this.silent = 0;
    const before = [...this.waiting.values()];
    this.#hello().then(
      () => {
        this.wait = FIRST_WAIT;
        this.status('open', 0);
      },
      (refusal) => this.#refused(refusal),
    );
    for (const { message } of before) if (message.do !== 'hello') this.transport.send(message);
  }

  #hello() {
    return this.#ask('hello', { protocol: PROTOCOL, viewer: this.viewer, language: this.language() });
  }

  /** Ask a server that was silent whether it is there: it answers another hello. One that hangs closes no socket. */
  #beat() {
    if (!this.ready || document.hidden) return;
    this.silent += 1;
    if (this.silent === 1) this.#hello().catch(() => {});
    if (this.silent === MUTE) this.#mute('mute');
    if (this.silent < GONE) return;
    this.transport.close();
    this.#lost();
  }

  /** What is shown can't be steered now. */
  #mute(...status) {
    this.status(...status);
    if (this.state)
      this.receive({ state: { ...this.state, steers: false, can_steer: false, playing: false, lost: true } });
  }

  /** The server has no such page, or speaks another protocol: another attempt would end the same way. */
  #refused(refusal) {
    this.close();
    this.#mute('refused', 0, refusalText(refusal));
  }

  #take(message) {
    const mute = this.silent >= MUTE;
    this.silent = 0;
    if (mute) {
      this.status('open', 0);
      if (this.state) this.receive({ state: this.state });
    }
    if (message.state) this.state = message.state;
    if (!('reply' in message)) return this.receive(message);
    const command = this.waiting.get(message.reply);
    this.waiting.delete(message.reply);
    if (!command) return;
    if (message.error) command.reject(new Refusal(message.error));
    else command.resolve(message);
  }

  #lost() {
    this.ready = false;
    if (this.closed || this.timer) return;
    for (const [id, { message }] of this.waiting) if (message.do === 'hello') this.waiting.delete(id);
    if (this.reopens) {
      this.reopens = false;
      return this.#open();
    }
    this.#mute('lost', this.wait / 1000);
    this.timer = setTimeout(() => this.#open(), this.wait * (0.8 + 0.4 * Math.random()));
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
  }
}
