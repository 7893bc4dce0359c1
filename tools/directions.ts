import type { SourceFile } from "./imports.ts";

/** Who may import what. A path that ends in a slash is a folder; the rule with the longest `from` holds for a file. */
interface Direction {
  readonly from: string;
  /** Beside the files of its own room. */
  readonly files: readonly string[];
  /** `node:*` is every module of Node's, `*` every package. */
  readonly packages: readonly string[];
}

/** What every folder of the core may import, and the packages that each imports itself. */
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
  "core/lazy-property.ts": [],
  "core/rate-limiter.ts": [],
  "core/type-tag.ts": [],
};
const ground = Object.keys(shared);
const nodeAndAll = ["node:*", "*"];

/** The house's import directions, as the design draws them. */
export const directions: readonly Direction[] = [
  { from: "core/", files: ["core/"], packages: ["valibot", "@standard-schema/spec"] },
  ...Object.entries(shared).map(([from, packages]) => ({ from, files: ground, packages })),
  { from: "core/peers/", files: ground, packages: [] },
  { from: "core/wire/", files: ground, packages: [] },
  { from: "core/wire/codec.ts", files: ["core/wire/", ...ground], packages: ["msgpackr"] },
  { from: "core/discovery/", files: ground, packages: ["valibot"] },
  { from: "core/transport/", files: ground, packages: [] },
  { from: "core/links/", files: ["core/wire/", "core/transport/transport.ts", ...ground], packages: ["valibot"] },
  {
    from: "core/rpc/",
    files: ["core/links/", "core/wire/", "core/peers/", ...ground],
    packages: ["valibot", "@standard-schema/spec"],
  },
  { from: "core/global.ts", files: ["core/client.ts"], packages: [] },
  { from: "bindings/react/", files: ["core/index.ts", "core/internal.ts"], packages: ["react"] },
  { from: "bindings/vue/", files: ["core/index.ts", "core/internal.ts"], packages: ["vue"] },
  { from: "bindings/svelte/", files: ["core/index.ts", "core/internal.ts"], packages: ["svelte"] },
  // Messages carry error codes.
  { from: "reference-server/", files: ["core/protocol/", "core/errors.ts"], packages: nodeAndAll },
  { from: "examples/", files: ["tools/"], packages: nodeAndAll },
  { from: "bench/", files: ["core/", "reference-server/", "tools/"], packages: nodeAndAll },
  { from: "docs/", files: ["tools/"], packages: nodeAndAll },
  { from: "tools/", files: ["reference-server/server.ts"], packages: nodeAndAll },
];

/** Packages and files that only one file or folder of the published code imports. */
export const keepers: Readonly<Record<string, string>> = {
  "@preact/signals-core": "core/reactive.ts",
  msgpackr: "core/wire/codec.ts",
  nanoevents: "core/events.ts",
  kysely: "reference-server/store/",
  "core/internal.ts": "bindings/",
};

/** Whether a file is there for tests only. */
export function isSpec(path: string): boolean {
  return /\.test(-d)?\.tsx?$|(^|\/)conformance\.tsx?$/.test(path);
}

/** What the directions allow and no file imports, each as a sentence. */
export function unused(sources: readonly SourceFile[]): readonly string[] {
  return directions.flatMap((rule) => {
    const ruled = sources.filter(({ path }) => ruleOf(path) === rule);
    const files = rule.files
      .filter((allowed) => !ground.includes(allowed))
      .filter((allowed) => !ruled.some((source) => source.files.some((file) => within(allowed, file))));
    const packages = rule.packages.filter(
      (allowed) =>
        !ruled.some((source) => source.packages.some((name) => mayUse({ ...rule, packages: [allowed] }, name))),
    );
    return [...files, ...packages].map((allowed) => `${rule.from} never imports ${allowed}`);
  });
}

/** What a file imports against the directions, each as a sentence. */
export function trespasses({ path, files, packages }: SourceFile): readonly string[] {
  const rule = ruleOf(path);
  if (rule === undefined) return [`${path} is in no room: give its folder a line in tools/directions.ts`];
  const home = rule.from.endsWith("/") ? [rule.from] : [];
  return [
    ...files
      .filter((file) => ![...home, ...rule.files].some((place) => within(place, file)))
      .map((file) => `${path} may not import ${file}`),
    ...packages.filter((name) => !mayUse(rule, name)).map((name) => `${path} may not import ${name}`),
    ...[...packages, ...files]
      .filter((name) => isPublished(path) && !within(keepers[name] ?? path, path))
      .map((name) => `${path} may not import ${name}: it is ${keepers[name]}'s`),
  ];
}

function isPublished(path: string): boolean {
  return /^(core|bindings|reference-server)\//.test(path);
}

function ruleOf(path: string): Direction | undefined {
  return directions
    .filter(({ from }) => within(from, path))
    .reduce<Direction | undefined>((a, b) => (a && a.from.length > b.from.length ? a : b), undefined);
}

function mayUse({ packages }: Direction, name: string): boolean {
  return packages.some((allowed) =>
    allowed === "node:*" ? name.startsWith("node:") : allowed === "*" ? !name.startsWith("node:") : allowed === name,
  );
}

function within(place: string, path: string): boolean {
  return place.endsWith("/") ? path.startsWith(place) : path === place;
}
