import ts from "typescript";

/**
 * A contract's text in which the implementation has filled in what is its own: the seams that the contract leaves open,
 * its empty interfaces, and its conditional types, which TypeScript cannot compare before they are resolved.
 */
export function filledIn(contract: string, implementation: string): string {
  const own: string[] = [];
  const rest = ts.createSourceFile("text.ts", contract, ts.ScriptTarget.Latest, true).statements.map((statement) => {
    if (ts.isInterfaceDeclaration(statement) && isExported(statement) && statement.members.length === 0)
      return `export interface ${statement.name.text} extends Own.${statement.name.text} {}`;
    if (!ts.isTypeAliasDeclaration(statement) || !isExported(statement)) return statement.getFullText();
    if (!ts.isConditionalTypeNode(statement.type)) return statement.getFullText();
    own.push(statement.name.text);
    return "";
  });
  const names = own.join(", ");
  return `import type * as Own from "${implementation}";
import type { ${names} } from "${implementation}";
export type { ${names} };
${rest.join("\n")}`;
}

function isExported(statement: ts.Statement): boolean {
  return (ts.getCombinedModifierFlags(statement as ts.DeclarationStatement) & ts.ModifierFlags.Export) !== 0;
}

/** A module that compiles when each of `values` can be taken from the implementation where the contract's is asked for. */
export function assignability(values: readonly string[], contract: string, implementation: string): string {
  return [
    `import type * as contract from "${contract}";`,
    `import * as implementation from "${implementation}";`,
    ...values.map((name) => `export const ${name}: typeof contract.${name} = implementation.${name};`),
  ].join("\n");
}

/** `text` without the statements that mention one of `names`, or something that such a statement declares. */
export function without(names: readonly string[], text: string): string {
  const absent = new Set(names);
  const kept: string[] = [];
  for (const statement of ts.createSourceFile("text.ts", text, ts.ScriptTarget.Latest, true).statements) {
    if (ts.isImportDeclaration(statement)) kept.push(withoutSpecifiers(statement, absent));
    else if (!identifiersIn(statement).some((name) => absent.has(name))) kept.push(statement.getFullText());
    else for (const name of declaredBy(statement)) absent.add(name);
  }
  return kept.join("");
}

function withoutSpecifiers(statement: ts.ImportDeclaration, absent: ReadonlySet<string>): string {
  const names = statement.importClause?.namedBindings;
  if (names === undefined || !ts.isNamedImports(names)) return statement.getFullText();
  const kept = names.elements.filter(({ name }) => !absent.has(name.text)).map((element) => element.getText());
  return `\nimport { ${kept.join(", ")} } from ${statement.moduleSpecifier.getText()};`;
}

function identifiersIn(node: ts.Node): string[] {
  const found: string[] = [];
  const visit = (inner: ts.Node): void => {
    if (ts.isIdentifier(inner)) found.push(inner.text);
    ts.forEachChild(inner, visit);
  };
  visit(node);
  return found;
}

function declaredBy(statement: ts.Statement): string[] {
  if (!ts.isVariableStatement(statement)) return [];
  return statement.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : []));
}
