import { clientMain, clientPrints, serverMain, serverPrints } from "./programs.ts";
import type { Trial } from "./trial.ts";

const run = ["node", "out/main.js"];
const modules = { "package.json": '{ "type": "module" }', "main.js": clientMain };

/** Bundlers that are devDependencies of this repository. */
export const ownBundlers: readonly Trial[] = [
  {
    name: "Vite",
    packages: { vite: "^8" },
    files: {
      ...modules,
      "vite.config.js": `export default { build: {
        outDir: "out", target: "es2022", lib: { entry: "main.js", formats: ["es"], fileName: "main" } } };`,
    },
    commands: [["vite", "build"], run],
    prints: clientPrints,
  },
  {
    name: "Rollup",
    packages: { rollup: "^4", "@rollup/plugin-node-resolve": "^16" },
    files: {
      ...modules,
      "rollup.config.js": `
        import nodeResolve from "@rollup/plugin-node-resolve";
        export default {
          input: "main.js", plugins: [nodeResolve({ browser: true })], output: { dir: "out" },
          onwarn(warning) { throw new Error(warning.message); },
        };`,
    },
    commands: [["rollup", "-c"], run],
    prints: clientPrints,
  },
  {
    name: "esbuild",
    packages: { esbuild: "^0.28" },
    files: modules,
    commands: [["esbuild", "main.js", "--bundle", "--minify", "--format=esm", "--splitting", "--outdir=out"], run],
    prints: clientPrints,
  },
  {
    name: "esbuild, server",
    packages: { esbuild: "^0.28" },
    // The trial before this one has made the folder a package of modules.
    files: { "package.json": '{ "type": "commonjs" }', "main.js": serverMain },
    commands: [
      ["esbuild", "main.js", "--bundle", "--platform=node", "--external:@node-rs/argon2", "--outfile=out/main.js"],
      run,
    ],
    prints: serverPrints,
  },
];

/** Bundlers that are installed for the trial. */
export const otherBundlers: readonly Trial[] = [
  {
    name: "webpack 5",
    packages: { webpack: "5", "webpack-cli": "*" },
    files: {
      "main.js": clientMain,
      "webpack.config.js": `module.exports = {
        mode: "production", target: "web", entry: "./main.js", performance: { hints: false },
        output: { path: __dirname + "/out", filename: "main.js", publicPath: "" },
        optimization: { splitChunks: false }, plugins: [
          new (require("webpack").optimize.LimitChunkCountPlugin)({ maxChunks: 1 })] };`,
    },
    commands: [["webpack", "--fail-on-warnings"], run],
    prints: clientPrints,
  },
  {
    name: "webpack 5, server",
    packages: { webpack: "5", "webpack-cli": "*" },
    files: {
      "main.js": serverMain,
      "webpack.config.js": `module.exports = {
        mode: "production", target: "node", entry: "./main.js", externals: { "@node-rs/argon2": "commonjs @node-rs/argon2" },
        output: { path: __dirname + "/out", filename: "main.js" } };`,
    },
    commands: [["webpack"], run],
    prints: serverPrints,
  },
  {
    name: "Parcel 2",
    packages: { parcel: "2", react: "19", "react-dom": "19" },
    files: {
      "package.json":
        '{ "source": "main.js", "main": "out/main.js", "targets": { "main": { "includeNodeModules": true } } }',
      "main.js": `
        import { useCall } from "bonevalue/react";
        if (typeof useCall !== "function") throw new Error("no binding");
        ${clientMain}`,
    },
    commands: [["parcel", "build", "--no-cache", "--no-optimize"], run],
    prints: clientPrints,
  },
];
