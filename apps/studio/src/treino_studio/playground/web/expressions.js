/** Formulas as trees of symbols, each with its present number, and their one line of Unicode: formula.py for pages. */

import { whole } from '../../page/modules/numbers.js';
import { ACTIVATIONS, sigmoid } from './arithmetic.js';
import { general, say } from './sentences.js';

export const constant = (number) => ({ kind: 'constant', number });
/** sub, sup: index and superscript (a layer's number, no power). hat: m̂. */
export const symbol = (name, number = 0, sub = '', sup = '', hat = false) => ({
  kind: 'symbol',
  name,
  number,
  sub: String(sub),
  sup,
  hat,
});
const tree = (value) => (typeof value === 'number' ? constant(value) : value);
/**
 * A formula: a constant, a symbol, an operation on others, or a sum over an index.
 *
 * @typedef {{
 *   kind: string, number?: number, name?: string, sub?: string, sup?: string, hat?: boolean,
 *   args?: Tree[], index?: string, last?: string, body?: Tree, terms?: Tree[],
 * }} Tree
 */

/** An operation on trees or numbers: + - * / ^ neg, or a function's name. */
export function op(kind, ...args) {
  return /** @type {Tree} */ ({ kind, args: args.map(tree) });
}
export const plus = (a, b) => op('+', a, b);
export const minus = (a, b) => op('-', a, b);
export const times = (a, b) => op('*', a, b);
export const over = (a, b) => op('/', a, b);
/** term(sub, place) is called once with the index's name, for the symbols, and for each place. last: '' for all. */
export const series = (index, last, count, term) =>
  /** @type {Tree} */ ({
    kind: 'sum',
    index,
    last,
    body: term(index, 0),
    terms: Array.from({ length: count }, (_, k) => term(String(k + 1), k)),
  });
export const formula = (left, right) => ({ left, right });

const { relu, leaky_relu: leaky, gelu, silu } = ACTIVATIONS;
const FUNCTIONS = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '^': (a, b) => a ** b,
  neg: (a) => -a,
  sqrt: Math.sqrt,
  exp: Math.exp,
  ln: Math.log,
  abs: Math.abs,
  sign: Math.sign,
  min: Math.min,
  σ: sigmoid,
  tanh: Math.tanh,
  ReLU: relu.f,
  'ReLU′': relu.slope,
  LeakyReLU: leaky.f,
  'LeakyReLU′': leaky.slope,
  GELU: gelu.f,
  'GELU′': gelu.slope,
  SiLU: silu.f,
};
const NAMES = { relu: 'ReLU', leaky_relu: 'LeakyReLU', gelu: 'GELU', silu: 'SiLU', tanh: 'tanh', sigmoid: 'σ' };
/** An activation's formula, and its derivative as the chain rule gives it. */
export const activated = (act, z) => op(NAMES[act], z);
export function derivative(act, z) {
  const f = activated(act, z);
  const s = op('σ', z);
  if (act === 'tanh') return minus(1, op('^', f, 2));
  if (act === 'sigmoid') return times(f, minus(1, f));
  if (act === 'silu') return times(s, plus(1, times(z, minus(1, s))));
  return op(`${NAMES[act]}′`, z);
}

export function value(e) {
  if (e.kind === 'symbol' || e.kind === 'constant') return e.number;
  if (e.kind !== 'sum') return FUNCTIONS[e.kind](...e.args.map(value));
  let sum = 0;
  let lost = 0; // what each addition loses is added at the end
  for (const term of e.terms.map(value)) {
    const next = sum + term;
    lost += Math.abs(sum) >= Math.abs(term) ? sum - next + term : term - next + sum;
    sum = next;
  }
  return sum + (Number.isFinite(lost) ? lost : 0);
}

// ---- as text

const DIGITS = 6;
const LONG = 4; // terms shown of a longer sum: the largest, in their order
const [SUM, SIGN, QUOTIENT, PRODUCT, POWER, ATOM] = [0, 1, 2, 3, 4, 5]; // how tightly a piece binds
const tables = (plain, small) => new Map([...plain].map((c, k) => [c, [...small][k]]));
const LOW = tables('0123456789+−=(),aehijklmnoprstuvx', '₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎,ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ');
const HIGH = tables('0123456789+−=()abcdefghijklmnoprstuvwxyzBDHN′', '⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴮᴰᴴᴺ′');
const piece = (text, level = ATOM) => ({ text, level });
const fenced = (p, wanted) => (wanted ? piece(`(${p.text})`) : p);

function small(text, table, mark, fits) {
  if (fits && [...text].every((c) => table.has(c))) return [...text].map((c) => table.get(c)).join('');
  return /^[\p{L}\p{N}]+$/u.test(text) ? `${mark}${text}` : `${mark}(${text})`;
}
const lowered = (text) => small(text, LOW, '_', !(text.length > 1 && /^\p{L}+$/u.test(text)));
const raised = (text) => small(text, HIGH, '^', true);

function written(number, digits) {
  if (!Number.isFinite(number))
    return piece(Number.isNaN(number) ? 'NaN' : number < 0 ? '−∞' : '∞', number < 0 ? SIGN : ATOM);
  const integer = Number.isInteger(number) && Math.abs(number) < 1e9;
  const [mantissa, exponent] = (integer ? String(number) : general(number, digits)).split('e');
  const text = mantissa.replace('-', '−');
  const ten = exponent === undefined ? '' : String(Number(exponent)).replace('-', '−');
  return piece(ten ? `${text}×10${raised(ten)}` : text, text.startsWith('−') ? SIGN : ten ? PRODUCT : ATOM);
}

function named({ name, sub, sup, hat }) {
  const text = name + (hat ? '\u0302' : '') + (sup ? raised(sup) : '') + (sub ? lowered(sub) : '');
  return piece(text, name.includes('/') ? PRODUCT : sup ? POWER : ATOM);
}

/** One line of a tree, in symbols or in their numbers. */
export const text = (e, numbers = false) => write(e, numbers).text;

function write(e, numbers) {
  if (e.kind === 'constant') return written(e.number, 15);
  if (e.kind === 'symbol') return numbers ? written(e.number, DIGITS) : named(e);
  if (e.kind === 'sum') return total(e, numbers);
  if (numbers && e.kind === '+' && e.args[0].kind === 'sum')
    return added([...terms(e.args[0]), write(e.args[1], numbers)]);
  const [a, b] = e.args.map((arg) => write(arg, numbers));
  switch (e.kind) {
    case '+':
      return piece(`${a.text} + ${fenced(b, b.level === SIGN).text}`, SUM);
    case '-':
      return piece(`${a.text} − ${fenced(b, b.level <= SIGN).text}`, SUM);
    case '*':
      return piece(
        `${fenced(a, a.level <= QUOTIENT || e.args[0].kind === 'sum').text}·${fenced(b, b.level <= SIGN).text}`,
        PRODUCT,
      );
    case '/':
      return piece(
        `${fenced(a, a.level === SUM).text} / ${fenced(b, b.level <= PRODUCT).text}`,
        a.level === SIGN ? SIGN : QUOTIENT,
      );
    case '^':
      return piece(fenced(a, a.level < ATOM).text + raised(b.text), POWER);
    case 'neg':
      return piece(`−${fenced(a, a.level <= SIGN).text}`, SIGN);
    case 'sqrt':
      return piece(a.level === ATOM ? `√${a.text}` : `√(${a.text})`);
    case 'abs':
      return piece(`|${a.text}|`);
    default:
      return piece(
        `${e.kind}(${[a, b]
          .filter(Boolean)
          .map((p) => p.text)
          .join(', ')})`,
      );
  }
}

function total(e, numbers) {
  if (numbers) return added(terms(e));
  const body = write(e.body, false);
  const bounds = e.last ? `${lowered(`${e.index}=1`)}${raised(e.last)}` : lowered(e.index);
  return piece(`Σ${bounds} ${fenced(body, body.level === SUM).text}`, PRODUCT);
}

function terms(e) {
  const sizes = e.terms.map((term) => Math.abs(value(term)));
  const places =
    e.terms.length <= LONG + 1
      ? sizes.map((_, k) => k)
      : sizes
          .map((_, k) => k)
          .sort((a, b) => sizes[b] - sizes[a])
          .slice(0, LONG)
          .sort((a, b) => a - b);
  const pieces = places.map((k) => write(e.terms[k], true));
  const more = e.terms.length - pieces.length;
  return more ? [...pieces, piece(say('… {n:,} smaller terms', { n: whole(more) }))] : pieces;
}

function added(pieces) {
  const [first, ...others] = pieces;
  if (!others.length) return first;
  return piece([first, ...others.map((p) => fenced(p, p.level === SIGN))].map((p) => p.text).join(' + '), SUM);
}
