import ts from "typescript";

/** An export of a module. */
interface Exported {
  readonly name: string;
  readonly symbol: ts.Symbol;
}

/** The declarations that a file exports, sorted by name and without comments. */
export function surfaceText(file: ts.SourceFile, checker: ts.TypeChecker): string {
  const printer = ts.createPrinter({ removeComments: true });
  const texts = exportsOf(file, checker).map(({ name, symbol }) => {
    const declared = (symbol.declarations ?? []).map(statementOf);
    const text = declared.map((node) => printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile()));
    return [`// ${name}`, ...text].join("\n");
  });
  return `${texts.join("\n\n")}\n`;
}

function exportsOf(file: ts.SourceFile, checker: ts.TypeChecker): readonly Exported[] {
  const module = checker.getSymbolAtLocation(file);
  return (module ? checker.getExportsOfModule(module) : [])
    .map((symbol) => ({ name: symbol.name, symbol: behind(symbol, checker) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function behind(symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

function statementOf(node: ts.Declaration): ts.Node {
  return ts.isVariableDeclaration(node) ? node.parent.parent : node;
}
