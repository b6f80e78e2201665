/** The tab's workers: one in which runs train, more for a crowd; and the transport to what they serve. */

import { answer } from './worker.js';

/**
 * Start the first one. source: the script that a worker runs, which answers as worker.js says. parts: what opens it.
 * failed(error): nothing can train here. replaced(): workers are blocked here, and the page itself trains.
 */
export function startTab(source, parts, { failed, replaced }) {
  const runs = new Map(); // name → {resolve, reject} of a run that is being created
  const settle = ({ created, name, error }) => {
    const run = runs.get(created ?? name);
    runs.delete(created ?? name);
    if (error) run?.reject(Object.assign(new Error(error.message), error));
    else run?.resolve();
  };
  const start = () => startWorker(source, parts, { failed, replaced, receive: settle });
  const workers = [start()];
  const [first] = workers;

  return {
    /** Make a run; it throws where its data can't be learnt from. */
    create: (request) =>
      new Promise((resolve, reject) => {
        runs.set(request.name, { resolve, reject });
        first({ create: request });
      }),
    /**
     * The transport to a run of this tab, described in the studio's socket.js. watch(message): is told what comes, too.
     */
    transport: (name, watch) => portTransport((port) => first({ connect: name, port }, [port]), watch),
    /** The port at whose other end the networks of a crowd train: in worker number k. */
    crowd(k = 0) {
      const { port1, port2 } = new MessageChannel();
      while (workers.length <= k) workers.push(start());
      workers[k]({ crowd: port2 }, [port2]);
      return port1;
    },
    /** A run is looked at no more. */
    forget: (name) => first({ forget: name }),
    speak(language) {
      parts = { ...parts, language };
      for (const send of workers) send({ language });
    },
  };
}

/** → send(message, moved): what comes before it is open waits. receive(message): all that it says afterwards. */
function startWorker(source, parts, { failed, replaced, receive }) {
  let worker = null;
  let ready = false;
  const queue = [];

  function open() {
    worker.onmessage = ({ data }) => {
      if (data.opened) {
        ready = true;
        for (const [message, moved] of queue.splice(0)) worker.postMessage(message, moved);
      } else if (ready) receive(data);
      else failed(data.error);
    };
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
  return (message, moved = []) => {
    if (ready) worker.postMessage(message, moved);
    else queue.push([message, moved]);
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
    send(message) {
      port.postMessage(message);
    },
    close() {
      port.postMessage({ closed: true });
      port.close();
      queueMicrotask(() => this.onclose());
    },
  };
}
