import { Converter, PageEvent } from "typedoc";
import { documentedEntries, importNameOf } from "../tools/entries.ts";

const nameOf = new Map(
  documentedEntries.map((entry) => [entry.source.replace(/(\/index)?\.ts$/, ""), importNameOf(entry)]),
);

/** Names each module as apps import it. */
function nameModules({ converter }) {
  converter.on(Converter.EVENT_CREATE_DECLARATION, ({ project }, reflection) => {
    if (reflection.parent === project) reflection.name = nameOf.get(reflection.name);
  });
}

/** Names parameters that the source takes apart. */
function nameParameters({ converter }) {
  converter.on(Converter.EVENT_RESOLVE, (_context, reflection) => {
    if (reflection.name !== "__namedParameters") return;
    const isComponent = /^[A-Z]/.test(reflection.parent.name);
    reflection.name = reflection.flags.isRest ? "args" : isComponent ? "props" : "options";
  });
}

/** Corrects links to RepliesState. The plugin gives the same anchor to `Replies.state`, and numbers the second one. */
function correctAnchors({ renderer }) {
  renderer.on(PageEvent.END, (page) => {
    page.contents = page.contents?.replaceAll("#repliesstate-1)", "#repliesstate)");
  });
}

export default {
  entryPoints: documentedEntries.map(({ source }) => `../${source}`),
  tsconfig: "../tsconfig.json",
  // `npm run test:types` does that.
  skipErrorChecking: true,
  plugin: ["typedoc-plugin-markdown", "typedoc-vitepress-theme", nameModules, nameParameters, correctAnchors],
  out: "api",
  docsRoot: ".",
  sidebar: { autoConfiguration: false },
  outputFileStrategy: "modules",
  // What apps call is at the top.
  groupOrder: ["Functions", "*"],
  readme: "none",
  excludeInternal: true,
  // What Error and other types of the platform bring along.
  excludeExternals: true,
  disableSources: true,
  hidePageHeader: true,
  hideBreadcrumbs: true,
  // Helpers that compute types, types of the platform, and options that only tests pass.
  intentionallyNotExported: [
    ...["Answer", "In", "Out", "Schema", "errorCodes", "signalKinds"],
    ...["BroadcastChannelOptions", "WebSocketOptions", "IceServers", "PeerConnectionConstructor"],
  ],
  treatValidationWarningsAsErrors: true,
  packagesRequiringDocumentation: ["bonevalue", "bonevalue-server"],
  validation: { notExported: true, notDocumented: true, invalidLink: true },
};
