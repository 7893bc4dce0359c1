/**
 * Creates a function that adds a property which is computed when it is read, for objects that are created often. The
 * getter is on a shared prototype: with a getter in an object literal, V8 gives each object a hidden class of its own and
 * retains it until a full garbage collection. Like every inherited property, it is not copied by a spread.
 *
 * @example
 * const withTotal = lazyProperty("total");
 * const order = withTotal({ items }, () => sumOf(items));
 */
export function lazyProperty<Key extends string>(
  key: Key,
): <Rest extends object, Value>(rest: Rest, make: () => Value) => Rest & { readonly [K in Key]: Value } {
  const maker: unique symbol = Symbol(key);
  const prototype = {
    get [key](): unknown {
      return (this as unknown as { [maker](): unknown })[maker]();
    },
  };
  return (rest, make) => {
    // Faster than Object.setPrototypeOf(rest).
    const object = Object.assign(Object.create(prototype), rest);
    object[maker] = make;
    return object;
  };
}
