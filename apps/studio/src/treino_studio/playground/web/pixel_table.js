/** A table of pixels, as the page has it: a letter for each pixel, made a table of columns pixel_0_0, pixel_0_1, … */

/**
 * table: {name, target, picture: [height, width], pixels: a letter from 0 to g of each, classes: a digit of each row},
 * or any other. The letters are in the order [width, rows, height].
 */
export function unpacked({ pixels, classes, ...table }) {
  if (!pixels) return table;
  const [high, wide] = table.picture;
  const size = high * wide;
  const rows = classes.length;
  const code = Uint8Array.from(pixels, (letter) => parseInt(letter, 17));
  const columns = Array.from({ length: size }, (_, j) => ({
    name: `pixel_${Math.floor(j / wide)}_${j % wide}`,
    cells: Array.from({ length: rows }, (_, i) => code[((j % wide) * rows + i) * high + Math.floor(j / wide)]),
  }));
  return { ...table, columns: [...columns, { name: table.target, cells: Array.from(classes, Number) }] };
}
