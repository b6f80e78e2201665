/** Binary messages of the studio: a header in JSON, then arrays that lie in the buffer as they are used. */

const TYPES = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array };

/**
 * @typedef {{ data: Uint8Array | Uint16Array | Uint32Array | Float32Array | Float64Array, shape: number[] }} Part
 */

/** → the header, with parts: {name: {data, shape}}. The arrays share the message's memory. */
export function decodeFrame(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const parts = {};
  let at = eighth(4 + length);
  for (const { name, type, shape } of header.parts) {
    const data = new TYPES[type](
      buffer,
      at,
      shape.reduce((product, n) => product * n, 1),
    );
    parts[name] = { data, shape };
    at += eighth(data.byteLength);
  }
  return { ...header, parts };
}

const eighth = (bytes) => Math.ceil(bytes / 8) * 8;
