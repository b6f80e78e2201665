/** The tab's one worker, in which everything trains, and the transport to what it serves. */

import { answer } from './worker.js';

/**
 * Start it. source: the script that a worker runs, which answers as worker.js says. opened(relaxed): it can train.
 * failed(error): it can't at all. replaced(): workers are blocked here, and the page itself trains.
 */
export function startTab(source, parts, { opened, failed, replaced }) {
  const runs = new Map(); // name → {resolve, reject} of a run that is being created
  let worker = null, ready = false, queue = [];

  function send(message, moved = []) {
    if (ready) worker.postMessage(message, moved);
    else queue.push([message, moved]);
  }
  function receive({ data }) {
    if (data.opened) {
      ready = true;
      for (const [message, moved] of queue.splice(0)) worker.postMessage(message, moved);
      opened(data.opened.relaxed);
    } else if (data.created) settle(data.created, 'resolve');
    else if (ready) settle(data.name, 'reject', Object.assign(new Error(data.error.message), data.error));
    else failed(data.error);
  }
  function settle(name, how, error) {
    runs.get(name)?.[how](error);
    runs.delete(name);
  }
  function open() {
    worker.onmessage = receive;
    worker.postMessage({ open: parts });
  }
  function answerHere() {
    const { port1, port2 } = new MessageChannel();
    answer(port2);
    worker = port1;
    open();
    replaced();
  }

  try {
    worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
    worker.onerror = (event) => {
      if (ready) return;
      event.preventDefault();
      answerHere();
    };
    open();
  } catch {
    answerHere();
  }

  return {
    /** Make a run; it throws where its data can't be learnt from. */
    create: (request) => new Promise((resolve, reject) => {
      runs.set(request.name, { resolve, reject });
      send({ create: request });
    }),
    /** The transport to a run of this tab, described in the studio's socket.js. watch(message): is told what comes, too. */
    transport: (name, watch) => portTransport((port) => send({ connect: name, port }, [port]), watch),
    /** The port at whose other end many networks train. */
    crowd() {
      const { port1, port2 } = new MessageChannel();
      send({ crowd: port2 }, [port2]);
      return port1;
    },
    /** A run is looked at no more. */
    forget: (name) => send({ forget: name }),
    speak: (name) => send({ language: name }),
  };
}

/** A transport over a message port, which is never lost: closing it and connecting again is another port. */
function portTransport(connect, watch) {
  let port = null;
  return {
    connect() {
      const channel = new MessageChannel();
      port = channel.port1;
      port.onmessage = ({ data }) => {
        watch(data);
        this.onmessage(data);
      };
      connect(channel.port2);
      this.onopen();
    },
    send(message) { port.postMessage(message); },
    close() {
      port.postMessage({ closed: true });
      port.close();
      queueMicrotask(() => this.onclose());
    },
  };
}
