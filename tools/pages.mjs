// Joins the scripts and styles of treino's pages: node tools/pages.mjs FOLDER writes them there. tools/pages.py calls it.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PACKAGE = `${ROOT}apps/studio/src/treino_studio`;

const SCRIPTS = {
  studio: "import './page/modules/main.js';",
  notebook: "import { start } from './page/modules/notebook.js';\nstart();",
  // one script: the page starts a worker with the same text
  playground: `import { start } from './playground/web/playground.js';
    import { answer } from './playground/web/worker.js';
    if (typeof document === 'undefined') answer(self);
    else start(document.currentScript.textContent);`,
  cell: "export { default } from './page/cell.js';",
};
const STYLES = {
  studio: ['page/style.css', 'page/blocks.css', 'page/folders.css', 'page/script.css'],
  notebook: ['page/style.css', 'page/blocks.css', 'page/folders.css'],
  playground: ['page/style.css', 'page/folders.css', 'playground/web/crowd.css', 'playground/web/playground.css'],
};

/** In the playground one module stands in the place of those of the studio that only a server's runs need. */
const LEFT_OUT = ['remedies', 'result', 'members', 'behind'].map((name) => `${PACKAGE}/page/modules/${name}.js`);
const leftOut = {
  name: 'left out',
  setup: (builder) =>
    builder.onResolve({ filter: /^\./ }, ({ path, resolveDir }) =>
      LEFT_OUT.includes(resolve(resolveDir, path)) ? { path: `${PACKAGE}/playground/web/left_out.js` } : null,
    ),
};

const licence = `/*! treino\n\n${readFileSync(`${ROOT}LICENSE`, 'utf8')}*/`;

/** The same bytes anywhere: nothing of this machine, or of a configuration, goes in. */
const usual = (name, text, loader, outdir) => ({
  stdin: { contents: text, resolveDir: PACKAGE, sourcefile: `${name}.${loader}`, loader },
  outfile: `${outdir}/${name}.${loader}`,
  absWorkingDir: ROOT,
  bundle: true,
  minify: true,
  charset: 'utf8',
  target: 'es2022',
  legalComments: 'inline',
  tsconfigRaw: {},
  logLevel: 'warning',
});

const [outdir] = process.argv.slice(2);
for (const [name, text] of Object.entries(SCRIPTS))
  await build({
    ...usual(name, text, 'js', outdir),
    format: name === 'cell' ? 'esm' : 'iife',
    banner: { js: name === 'cell' ? licence : `${licence}\n"use strict";` },
    plugins: name === 'playground' ? [leftOut] : [],
  });
for (const [name, paths] of Object.entries(STYLES))
  await build(usual(name, paths.map((path) => `@import './${path}';`).join('\n'), 'css', outdir));
