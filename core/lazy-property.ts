/**
 * Gives objects a property that is made when it is read, for objects of which there are many: on a shared prototype, since
 * a getter in an object's own literal makes V8 give each a hidden class, and keep all that it leads to until a full
 * collection. Like every inherited property it is not copied by a spread.
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
    // Faster than to give `rest` another prototype.
    const object = Object.assign(Object.create(prototype), rest);
    object[maker] = make;
    return object;
  };
}
