// Builds what git ignores from node_modules: the FEEL bundle, the scripts of pages that need a library, the fonts. Run after `npm ci --ignore-scripts`.
import { copyFile, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const NOTO = "node_modules/@expo-google-fonts/noto-sans-sc";
const COPIES = {
  [`${NOTO}/400Regular/NotoSansSC_400Regular.ttf`]: "static/vendor/fonts/NotoSansSC-Regular.ttf",
  [`${NOTO}/700Bold/NotoSansSC_700Bold.ttf`]: "static/vendor/fonts/NotoSansSC-Bold.ttf",
  [`${NOTO}/LICENSE_FONT`]: "static/vendor/fonts/NotoSansSC-LICENSE.txt",
  "node_modules/bootstrap/dist/css/bootstrap.min.css": "static/vendor/bootstrap/bootstrap.min.css",
  "node_modules/bootstrap/LICENSE": "static/vendor/bootstrap/LICENSE",
  "node_modules/htmx.org/dist/htmx.min.js": "static/vendor/htmx/htmx.min.js",
  "node_modules/htmx.org/LICENSE": "static/vendor/htmx/LICENSE",
  "node_modules/bpmn-js/dist/bpmn-navigated-viewer.production.min.js": "static/vendor/bpmn-js/viewer.min.js",
  "node_modules/bpmn-js/dist/assets/bpmn-js.css": "static/vendor/bpmn-js/bpmn-js.css",
  "node_modules/bpmn-js/dist/assets/diagram-js.css": "static/vendor/bpmn-js/diagram-js.css",
  "node_modules/jsqr/LICENSE": "static/vendor/jsqr-LICENSE",
  "node_modules/pkijs/LICENSE": "static/vendor/pkijs-LICENSE",
  "node_modules/bpmn-js/LICENSE": "static/vendor/bpmn-js/LICENSE",
};

// feelin parses at every call; its compiled roots can be kept only through parts it does not export.
const exportFeelinsParts = {
  name: "export-feelins-parts",
  setup(bundler) {
    bundler.onLoad({ filter: /feelin[\\/]dist[\\/]index\.js$/ }, async ({ path }) => ({
      contents: `${await readFile(path, "utf8")}\nexport { getType, interpreter, InterpreterContext, isInvocationFailure, wrapFunction };\n`,
      loader: "js",
    }));
  },
};

await build({
  absWorkingDir: ROOT,
  entryPoints: ["approval/expressions/feel.entry.mjs"],
  outfile: "approval/expressions/feel.bundle.js",
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  legalComments: "inline",
  logLevel: "warning",
  plugins: [exportFeelinsParts],
});

for (const script of ["certificate", "offline"]) {
  await build({
    absWorkingDir: ROOT,
    entryPoints: [`static/scripts/${script}.entry.mjs`],
    outfile: `static/vendor/${script}.js`,
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    charset: "utf8",
    legalComments: "inline",
    logLevel: "warning",
  });
}

for (const [source, target] of Object.entries(COPIES)) {
  await mkdir(dirname(join(ROOT, target)), { recursive: true });
  await copyFile(join(ROOT, source), join(ROOT, target));
}
