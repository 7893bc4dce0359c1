import { availableParallelism } from "node:os";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import vue from "@vitejs/plugin-vue";
import { playwright } from "@vitest/browser-playwright";
import type { Alias } from "vite";
import { defineConfig, type TestProjectInlineConfiguration, type ViteUserConfig } from "vitest/config";
import type { BrowserConfigOptions } from "vitest/node";
import { serverPages } from "./bindings/server-pages.ts";
import { behaviourTable } from "./tools/behaviour-table.ts";
import { browserCommands } from "./tools/browser-commands.ts";
import { builtFiles } from "./tools/built-files.ts";
import { chromiumContext, shellLaunch } from "./tools/chromium.ts";
import { isInstalled } from "./tools/ensure.ts";
import { firefox } from "./tools/firefox-provider.ts";

// Hundreds of processes, the workers and the servers that tests start, load the same files.
process.env["NODE_COMPILE_CACHE"] ??= `${import.meta.dirname}/node_modules/.cache/compiled`;

const cores = availableParallelism();

// Most tests wait for others as often as they compute.
const workers = Math.ceil(cores * 1.5);

// These test what the source decides, which building does not change, and take long; or they use no built file.
const sourceOnly = [
  "**/*.{property,model}.test.ts",
  "bindings/react/compiler.test.ts",
  "core/identity/{attacks,identity}.test.ts",
  "core/links/{hostile,leaving-nothing}.test.ts",
  "core/testing/chaos/**",
  "core/wire/{fuzz,scan}.test.ts",
  "docs/{bench,command-line,pages,protocol}.test.ts",
  "reference-server/{backend-timeout,bans,cluster,hostile,options-check,presence,profiles,rooms,security,staying}.test.ts",
  "reference-server/{cluster,command,relay,store}/**",
  "{bench,examples,tools}/**",
];

const folders = "{core,bindings,reference-server,examples,bench,docs}/**";
const buildFirst = "./tools/build.ts";

const node = {
  environment: "node",
  include: [`${folders}/*.test.{ts,tsx}`, "tools/ensure.test.ts"],
  exclude: ["**/*.{dom,browser,e2e}.test.*"],
};

const packageProjects = ["api", "pack", "docs"].map(
  (name): TestProjectInlineConfiguration => ({
    extends: true,
    test: { name, include: [`tools/${name}{,-*}.test.ts`], globalSetup: buildFirst, testTimeout: 60_000 },
  }),
);

// The oldest supported React, tested beside the newest.
const react18 = [
  { find: /^(react|react-dom)(?=\/|$)/, replacement: `${import.meta.dirname}/bindings/react/react-18/node_modules/$1` },
];

function inDom(name: string, folder: string, alias: Alias[] = []): TestProjectInlineConfiguration {
  return {
    extends: true,
    plugins: [vue(), svelte({ configFile: false }), serverPages()],
    // Otherwise Svelte resolves to its server build.
    resolve: { conditions: ["browser"], alias },
    test: { name, environment: "happy-dom", include: [`${folder}/*.dom.test.{ts,tsx}`] },
  };
}

/** Tests in a browser. They use real time, so they do not run beside others. */
function inBrowser(
  name: string,
  include: string[],
  browser: Omit<BrowserConfigOptions, "enabled">,
): TestProjectInlineConfiguration {
  return {
    extends: true,
    test: {
      name,
      include,
      sequence: { groupOrder: 1 },
      maxWorkers: cores,
      browser: { enabled: true, headless: true, screenshotFailures: false, ...browser },
    },
  };
}

function inChromium(name: string, folder: string, alias: Alias[] = []): TestProjectInlineConfiguration {
  return {
    ...inBrowser(name, [`${folder}/*.browser.test.{ts,tsx}`], {
      provider: playwright({ launchOptions: shellLaunch(), contextOptions: chromiumContext }),
      instances: [{ browser: "chromium" }],
      commands: browserCommands,
    }),
    plugins: [vue(), svelte({ configFile: false }), serverPages()],
    resolve: { alias },
  };
}

function inFirefox(name: string, include: string[]): TestProjectInlineConfiguration {
  return inBrowser(name, include, {
    provider: firefox(),
    instances: [{ browser: "firefox" }],
    // Vitest calls it before each file. Its own providers have it.
    commands: { ...browserCommands, __vitest_viewport: async () => {} },
  });
}

const config: ViteUserConfig = defineConfig({
  test: {
    maxWorkers: workers,
    // A worker for each file would take a third of the time. Tests undo what they change in a process.
    isolate: false,
    // These end a test that hangs. They are long because the machine may do other work as well.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    reporters: ["default", behaviourTable()],
    projects: [
      { extends: true, test: { ...node, name: "unit" } },
      {
        extends: true,
        test: { ...node, name: "dist", exclude: [...node.exclude, ...sourceOnly], globalSetup: buildFirst },
        plugins: [builtFiles()],
      },
      inDom("dom", folders),
      inDom("dom (React 18)", "bindings/react", react18),
      inChromium("browser", folders),
      inChromium("browser (React 18)", "bindings/react", react18),
      // `npm test` says how to install it.
      ...(isInstalled("firefox") ? [inFirefox("browser (Firefox)", ["core/transport/relay.browser.test.ts"])] : []),
      {
        extends: true,
        test: {
          name: "e2e",
          include: [`${folders}/*.e2e.test.ts`, "tools/**/*.e2e.test.ts"],
          globalSetup: buildFirst,
          sequence: { groupOrder: 2 },
        },
      },
      { extends: true, test: { name: "arch", include: ["tools/arch.test.ts"] } },
      ...packageProjects,
    ],
  },
});

export default config;
