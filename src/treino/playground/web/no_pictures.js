/** In the place of the studio's modules for runs of pictures, seen.js and images.js: the playground has no such runs. */

export function makeSeen(page) {
  page.seen = { tab: '', choose() {} };
  return { draw() {}, update() {} };
}

export function drawImages() {}
