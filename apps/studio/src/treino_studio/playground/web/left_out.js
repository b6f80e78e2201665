/**
 * In the place of the studio's modules that only a server's runs need: the playground's have no remedies, result,
 * members or x-ray.
 */

const NOTHING = { draw() {}, update() {} };

export function makeRemedies(page) {
  page.remedy = () => null;
}
export const verdict = () => '';

export const behindTip = () => null;
export const showBehind = () => null;

export const makeResult = () => NOTHING;
export const makeMembers = () => NOTHING;
