/** A formula as treino writes it in one line, "m̂ₜ = mₜ / (1 − β₁ᵗ)", as MathML with fractions, roots and indices. */

import { math } from './dom.js';
import { localised } from './words.js';

const LOWER = '₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ₊₋₌₍₎';
const LOWER_TEXT = '0123456789aehijklmnoprstuvx+−=()';
const UPPER = '⁰¹²³⁴⁵⁶⁷⁸⁹ᵃᵇᵈᵉᵏᵐⁿᵖᵗᴮᴺᵀ⁺⁻⁼⁽⁾';
const UPPER_TEXT = '0123456789abdekmnptBNT+−=()';
const HAT = '\u0302';

/** → <math> elements, between which a line may end; a text that can't be read as a formula stays a text in one. */
export function formula(text) {
  const tokens = tokensOf(text);
  const reader = { tokens, at: 0 };
  const pieces = [];
  for (const node of sequence(reader, () => false)) {
    const joins = node.localName === 'mo' && /^[=+−≈]$/.test(node.textContent);
    if (joins) node.setAttribute('form', 'infix');
    if (joins || !pieces.length) pieces.push([]);
    pieces.at(-1).push(node);
  }
  return pieces.flatMap((piece) => [math('math', { displaystyle: 'true' }, math('mrow', {}, piece)), ' ']);
}

/** Numbers, words, names, signs; indices and powers are tokens of their own. */
function tokensOf(text) {
  const found = [];
  const tokens = [
    /\d+(?:\.\d+)?/u,
    /[₀-ₜᵢⱼᵣᵤᵥₓ]+(?:,[₀-ₜᵢⱼᵣᵤᵥₓ]+)*/u,
    /[⁰¹²³⁴⁵⁶⁷⁸⁹ᵃᵇᵈᵉᵏᵐⁿᵖᵗᴮᴺᵀ⁺⁻⁼⁽⁾]+/u,
    /\p{Ll}{3,}(?: \p{Ll}{3,})*(?![\p{L}(_])/u,
    /\p{L}[\p{M}′]*(?:[\p{Ll}\p{Lu}_]{1,}(?=\())?/u,
    /∂\p{L}|\s+|./u,
  ];
  const pattern = new RegExp(tokens.map(({ source }) => source).join('|'), 'gu');
  for (const [piece] of text.matchAll(pattern)) if (piece.trim()) found.push(piece);
  return found;
}

const translated = (piece, from, to) =>
  [...piece]
    .map((c) => {
      const k = [...from].indexOf(c);
      return k < 0 ? c : [...to][k];
    })
    .join('');
const isLower = (piece) => [...LOWER].includes(piece?.[0]);
const isUpper = (piece) => [...UPPER].includes(piece?.[0]);

function sequence(reader, ends) {
  const found = [];
  while (reader.at < reader.tokens.length && !ends(reader.tokens[reader.at])) {
    const piece = reader.tokens[reader.at];
    if (piece === '/') {
      reader.at++;
      const above = found.splice(startOfTerm(found));
      const below = term(reader);
      found.push(math('mfrac', {}, row(above.map(bare)), bare(below)));
    } else found.push(found.length === 0 && piece === '−' ? negative(reader) : term(reader));
  }
  return found;
}

/** What stands before a division sign belongs to it as far back as a sign that binds less. */
function startOfTerm(found) {
  let k = found.length;
  while (k > 0 && !(found[k - 1].localName === 'mo' && /^[=+−≈,]$/.test(found[k - 1].textContent))) k--;
  return k;
}

/** A minus sign that stands before a number, not between two. */
function negative(reader) {
  reader.at++;
  return math('mrow', {}, math('mo', { form: 'prefix', lspace: '0', rspace: '0' }, '−'), term(reader));
}

const row = (nodes) => (nodes.length === 1 ? nodes[0] : math('mrow', {}, nodes));

/** Brackets around a whole numerator or denominator say nothing: the line of the fraction does. */
function bare(node) {
  if (!node.bracketed) return node;
  return math('mrow', {}, [...node.children].slice(1, -1));
}

function term(reader) {
  let node = atom(reader);
  let lower = null;
  let upper = null;
  while (isLower(reader.tokens[reader.at]) || isUpper(reader.tokens[reader.at])) {
    const piece = reader.tokens[reader.at++];
    if (isLower(piece)) lower = math('mn', {}, (lower?.textContent ?? '') + translated(piece, LOWER, LOWER_TEXT));
    else upper = math('mn', {}, (upper?.textContent ?? '') + translated(piece, UPPER, UPPER_TEXT));
  }
  if (lower && upper) node = math('msubsup', {}, node, lower, upper);
  else if (lower) node = math('msub', {}, node, lower);
  else if (upper) node = math('msup', {}, node, upper);
  return node;
}

function atom(reader) {
  const piece = reader.tokens[reader.at++];
  if (piece == null) return math('mrow', {});
  if (piece === '(') {
    const inside = sequence(reader, (p) => p === ')');
    reader.at++;
    const node = math('mrow', {}, math('mo', {}, '('), inside, math('mo', {}, ')'));
    node.bracketed = true;
    return node;
  }
  if (piece === '√') return math('msqrt', {}, bare(term(reader)));
  if (/^\d/.test(piece)) return math('mn', {}, localised(piece));
  if (piece.includes(HAT)) return math('mover', {}, math('mi', {}, piece.replace(HAT, '')), math('mo', {}, '^'));
  if (/^\p{Ll}{3}/u.test(piece) && reader.tokens[reader.at] !== '(') return math('mtext', {}, `\u00a0${piece}`);
  if (/^[\p{L}∂]/u.test(piece)) return math('mi', {}, piece);
  return math('mo', {}, piece);
}
