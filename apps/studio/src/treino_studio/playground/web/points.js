/**
 * The built-in points in the plane, drawn as treino's data/builtins.py draws them in Python, with any amount of noise.
 */

import { cos, exp, sin } from './elementary.js';
import { RandomState } from './random.js';

const ROWS = 1000;

/**
 * The points by name. task, noise: what Python has. most: the most noise a slider offers. draw(noise) → {x: [[x, y]],
 * y: [class or value]}.
 */
export const POINTS = {
  moons: { task: 'classification', noise: 0.2, most: 0.5, draw: moons },
  circles: { task: 'classification', noise: 0.1, most: 0.4, draw: circles },
  spirals: { task: 'classification', noise: 0.04, most: 0.2, draw: spirals },
  xor: { task: 'classification', noise: 0.1, most: 0.5, draw: xor },
  gauss: { task: 'classification', noise: 0.7, most: 1.5, draw: gauss },
  plane: { task: 'regression', noise: 0.1, most: 1, draw: plane },
  multi_gauss: { task: 'regression', noise: 0.05, most: 0.5, draw: multiGauss },
};

function moons(noise) {
  const angle = linspace(0, Math.PI, ROWS / 2);
  const upper = angle.map((a) => [cos(a), sin(a)]);
  const lower = angle.map((a) => [1 - cos(a), 0.5 - sin(a)]);
  return shuffled([upper, lower], noise);
}

function circles(noise) {
  const circle = linspace(0, 2 * Math.PI, ROWS / 2, false).map((a) => [cos(a), sin(a)]);
  return shuffled([circle, circle.map(([x, y]) => [x * 0.5, y * 0.5])], noise);
}

function spirals(noise) {
  const arms = [334, 333, 333].map((rows, arm) =>
    linspace(0.05, 1, rows).map((radius) => {
      const angle = 2 * Math.PI * (arm / 3 + 0.75 * radius);
      return [radius * cos(angle), radius * sin(angle)];
    }),
  );
  return shuffled(arms, noise);
}

function xor(noise) {
  const random = new RandomState(0);
  const square = squareOf(random);
  const apart = square.map((p) => p.map((v) => v + (v < 0 ? -0.1 : 0.1)));
  return { x: noisy(apart, noise, random), y: square.map(([x, y]) => +(x * y < 0)) };
}

function gauss(noise) {
  const random = new RandomState(0);
  const y = Array.from({ length: ROWS }, (_, i) => +(i >= ROWS / 2));
  random.shuffle(y);
  return {
    x: noisy(
      y.map((c) => [2 * c - 1, 2 * c - 1]),
      noise,
      random,
    ),
    y,
  };
}

function plane(noise) {
  const random = new RandomState(0);
  const x = squareOf(random);
  return { x, y: x.map(([a, b]) => a + b + noise * random.gauss()) };
}

function multiGauss(noise) {
  const random = new RandomState(0);
  const x = squareOf(random);
  const height = (/** @type {number[]} */ [a, b]) => {
    let sum = 0;
    [-0.45, 0.45].forEach((v, row) =>
      [-0.7, 0, 0.7].forEach((u, column) => {
        sum += (-1) ** (row + column) * exp(-12.5 * ((a - u) * (a - u) + (b - v) * (b - v)));
      }),
    );
    return sum;
  };
  return { x, y: x.map((p) => height(p) + noise * random.gauss()) };
}

/** NumPy's linspace. */
function linspace(from, to, n, endpoint = true) {
  const step = (to - from) / (endpoint ? n - 1 : n);
  return Array.from({ length: n }, (_, i) => (endpoint && i === n - 1 ? to : i * step + from));
}

const squareOf = (random) => Array.from({ length: ROWS }, () => [-1 + 2 * random.double(), -1 + 2 * random.double()]);

const noisy = (points, noise, random) => points.map((p) => p.map((v) => v + noise * random.gauss()));

/** The points of all classes in random order, with noise. */
function shuffled(classes, noise) {
  const random = new RandomState(0);
  const points = classes.flat();
  const label = classes.flatMap((rows, c) => rows.map(() => c));
  const order = points.map((_, i) => i);
  random.shuffle(order);
  return {
    x: noisy(
      order.map((i) => points[i]),
      noise,
      random,
    ),
    y: order.map((i) => label[i]),
  };
}
