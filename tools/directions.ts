import type { SourceFile } from "./imports.ts";

/** Who may import what. A path that ends in a slash is a folder; the rule with the longest `from` holds for a file. */
interface Direction {
  readonly from: string;
  /** Beside the files of its own room. */
  readonly files: readonly string[];
  /** `node:*` is every module of Node's, `*` every package. */
  readonly packages: readonly string[];
}

/** What every folder of the core may use. */
const ground = [
  "core/protocol/",
  ...[
    "errors",
    "clock",
    "peer",
    "limits",
    "check-arguments",
    "events",
    "reactive",
    "weak-cache",
    "bounded-schemas",
    "id-map",
    "lazy-property",
    "microtask",
    "rate-limiter",
  ].map((name) => `core/${name}.ts`),
];
const nodeAndAll = ["node:*", "*"];

/** The house's import directions, as the design draws them. */
export const directions: readonly Direction[] = [
  { from: "core/", files: ["core/"], packages: ["valibot", "@standard-schema/spec"] },
  ...ground.map((from) => ({ from, files: ground, packages: ["nanoevents", "@preact/signals-core", "valibot"] })),
  { from: "core/peers/", files: ground, packages: [] },
  { from: "core/wire/", files: ground, packages: ["valibot"] },
  { from: "core/wire/codec.ts", files: ["core/wire/", ...ground], packages: ["msgpackr"] },
  { from: "core/discovery/", files: ground, packages: ["valibot"] },
  { from: "core/transport/", files: ground, packages: [] },
  { from: "core/links/", files: ["core/wire/", "core/transport/transport.ts", ...ground], packages: ["valibot"] },
  {
    from: "core/rpc/",
    files: ["core/links/", "core/wire/", "core/peers/", ...ground],
    packages: ["valibot", "@standard-schema/spec"],
  },
  { from: "core/global.ts", files: ["core/index.ts", "core/client.ts"], packages: [] },
  { from: "bindings/react/", files: ["core/index.ts"], packages: ["react"] },
  { from: "bindings/vue/", files: ["core/index.ts"], packages: ["vue"] },
  { from: "bindings/svelte/", files: ["core/index.ts"], packages: ["svelte"] },
  // Messages carry error codes.
  { from: "reference-server/", files: ["core/protocol/", "core/errors.ts"], packages: nodeAndAll },
  { from: "examples/", files: ["core/index.ts", "reference-server/server.ts", "tools/"], packages: nodeAndAll },
  { from: "bench/", files: ["core/", "reference-server/", "tools/"], packages: nodeAndAll },
  { from: "docs/", files: ["tools/"], packages: nodeAndAll },
  { from: "tools/", files: ["reference-server/server.ts"], packages: nodeAndAll },
];

/** A package that one file or folder of what is published keeps for itself, so that it can be replaced in one place. */
export const keepers: Readonly<Record<string, string>> = {
  "@preact/signals-core": "core/reactive.ts",
  msgpackr: "core/wire/codec.ts",
  nanoevents: "core/events.ts",
  kysely: "reference-server/store/",
};

/** Whether a file is there for tests only. */
export function isSpec(path: string): boolean {
  return /\.test(-d)?\.tsx?$|(^|\/)conformance\.tsx?$/.test(path);
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
    ...packages
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
