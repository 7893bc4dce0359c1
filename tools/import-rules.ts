import type { SourceFile } from "./imports.ts";

/** The allowed imports of a file or folder (with a trailing slash). For each file, the rule with the longest `from` applies. */
interface ImportRule {
  readonly from: string;
  /** Files and folders, in addition to its own folder. */
  readonly files: readonly string[];
  /** `node:*` allows every Node module, `*` every package, `@scope/*` every package of a scope. */
  readonly packages: readonly string[];
}

/** Files that every folder of the core may import, with the packages that each imports. */
const shared: Readonly<Record<string, readonly string[]>> = {
  "core/protocol/": ["valibot"],
  "core/errors.ts": [],
  "core/clock.ts": [],
  "core/peer.ts": [],
  "core/limits.ts": [],
  "core/check-arguments.ts": [],
  "core/events.ts": ["nanoevents"],
  "core/reactive.ts": ["@preact/signals-core"],
  "core/weak-cache.ts": [],
  "core/bounded-schemas.ts": ["valibot"],
  "core/id-map.ts": [],
  "core/lazy-part.ts": [],
  "core/lazy-property.ts": [],
  "core/rate-limiter.ts": [],
  "core/type-tag.ts": [],
  "core/missing-feature.ts": [],
  "core/encode-text.ts": [],
  "core/bytes.ts": [],
  "core/relay-access.ts": [],
};
const sharedFiles = Object.keys(shared);
const nodeAndAll = ["node:*", "*"];

/** All import rules. */
export const importRules: readonly ImportRule[] = [
  { from: "core/", files: ["core/"], packages: ["valibot", "@standard-schema/spec"] },
  ...Object.entries(shared).map(([from, packages]) => ({ from, files: sharedFiles, packages })),
  { from: "core/peers/", files: sharedFiles, packages: [] },
  { from: "core/wire/", files: sharedFiles, packages: [] },
  { from: "core/wire/codec.ts", files: ["core/wire/", ...sharedFiles], packages: ["msgpackr"] },
  { from: "core/remember/", files: ["core/discovery/discovery.ts", "core/session.ts", ...sharedFiles], packages: [] },
  { from: "core/discovery/", files: sharedFiles, packages: ["valibot"] },
  { from: "core/transport/", files: sharedFiles, packages: [] },
  {
    from: "core/identity/",
    files: [
      "core/discovery/discovery.ts",
      "core/transport/transport.ts",
      "core/transport/description-bytes.ts",
      ...sharedFiles,
    ],
    packages: [],
  },
  { from: "core/identity/file-key-store.ts", files: ["core/identity/", ...sharedFiles], packages: ["node:*"] },
  { from: "core/identity/fallback-algorithms.ts", files: ["core/identity/", ...sharedFiles], packages: ["@noble/*"] },
  { from: "core/links/", files: ["core/wire/", "core/transport/transport.ts", ...sharedFiles], packages: ["valibot"] },
  {
    from: "core/rpc/",
    files: ["core/links/", "core/wire/", "core/peers/", ...sharedFiles],
    packages: ["valibot", "@standard-schema/spec"],
  },
  {
    from: "core/presence/",
    files: [
      ...["core/links/", "core/wire/", "core/peers/"],
      ...["core/rpc/deadlines.ts", "core/rpc/throttle.ts", "core/rpc/validate.ts"],
      ...sharedFiles,
    ],
    packages: ["@standard-schema/spec"],
  },
  {
    from: "core/devtools/",
    files: [
      ...["core/client.ts", "core/discovery/discovery.ts", "core/discovery/websocket.ts"],
      ...["core/transport/transport.ts", "core/transport/webrtc.ts"],
      ...["core/rpc/streams/stream-header.ts", "core/wire/"],
      ...sharedFiles,
    ],
    packages: [],
  },
  // Only the types: an app gets the code with its first definition.
  {
    from: "core/rpc/target.ts",
    files: ["core/rpc/", "core/peers/", "core/presence/definition.ts", ...sharedFiles],
    packages: [],
  },
  { from: "core/global.ts", files: ["core/client.ts"], packages: [] },
  { from: "bindings/react/", files: ["core/index.ts", "core/internal.ts"], packages: ["react"] },
  { from: "bindings/vue/", files: ["core/index.ts", "core/internal.ts"], packages: ["vue"] },
  { from: "bindings/svelte/", files: ["core/index.ts", "core/internal.ts"], packages: ["svelte"] },
  {
    from: "bindings/yjs/",
    files: ["core/index.ts", "core/internal.ts"],
    packages: ["valibot", "yjs", "y-protocols"],
  },
  // Messages carry error codes.
  { from: "reference-server/", files: ["core/protocol/", "core/errors.ts"], packages: nodeAndAll },
  { from: "examples/", files: ["tools/"], packages: nodeAndAll },
  { from: "bench/", files: ["core/", "reference-server/", "examples/testing/", "tools/"], packages: nodeAndAll },
  { from: "docs/", files: ["tools/"], packages: nodeAndAll },
  { from: "tools/", files: ["reference-server/server.ts"], packages: nodeAndAll },
];

/** Packages and files that only one file or folder of the published code may import. */
export const exclusiveImporters: Readonly<Record<string, string>> = {
  "@preact/signals-core": "core/reactive.ts",
  msgpackr: "core/wire/codec.ts",
  nanoevents: "core/events.ts",
  kysely: "reference-server/store/",
  "core/internal.ts": "bindings/",
};

/** Whether a file is only for tests. */
export function isTestFile(path: string): boolean {
  return /\.test(-d)?\.tsx?$|(^|\/)conformance\.tsx?$/.test(path);
}

/** Allowed imports that no file uses, each as a sentence. */
export function unusedRules(sources: readonly SourceFile[]): readonly string[] {
  return importRules.flatMap((rule) => {
    const ruled = sources.filter(({ path }) => ruleOf(path) === rule);
    const files = rule.files
      .filter((allowed) => !sharedFiles.includes(allowed))
      .filter((allowed) => !ruled.some((source) => source.files.some((file) => within(allowed, file))));
    const packages = rule.packages.filter(
      (allowed) =>
        !ruled.some((source) => source.packages.some((name) => mayUse({ ...rule, packages: [allowed] }, name))),
    );
    return [...files, ...packages].map((allowed) => `${rule.from} never imports ${allowed}`);
  });
}

/** Imports of a file that break a rule, each as a sentence. */
export function violations({ path, files, packages }: SourceFile): readonly string[] {
  const rule = ruleOf(path);
  if (rule === undefined) return [`${path} has no import rule: add its folder to tools/import-rules.ts`];
  const ownFolder = rule.from.endsWith("/") ? [rule.from] : [];
  return [
    ...files
      .filter((file) => ![...ownFolder, ...rule.files].some((allowed) => within(allowed, file)))
      .map((file) => `${path} may not import ${file}`),
    ...packages.filter((name) => !mayUse(rule, name)).map((name) => `${path} may not import ${name}`),
    ...[...packages, ...files]
      .filter((name) => isPublished(path) && !within(exclusiveImporters[name] ?? path, path))
      .map((name) => `${path} may not import ${name}: only ${exclusiveImporters[name]} may`),
  ];
}

function isPublished(path: string): boolean {
  return /^(core|bindings|reference-server)\//.test(path);
}

function ruleOf(path: string): ImportRule | undefined {
  return importRules
    .filter(({ from }) => within(from, path))
    .reduce<ImportRule | undefined>((a, b) => (a && a.from.length > b.from.length ? a : b), undefined);
}

function mayUse({ packages }: ImportRule, name: string): boolean {
  return packages.some((allowed) =>
    allowed === "*"
      ? !name.startsWith("node:")
      : allowed.endsWith("*")
        ? name.startsWith(allowed.slice(0, -1))
        : allowed === name,
  );
}

function within(folder: string, path: string): boolean {
  return folder.endsWith("/") ? path.startsWith(folder) : path === folder;
}
