// Module hooks: `lakebase-native/drizzle?1.0` is this package's driver on drizzle-orm 1.0, which is installed here as `drizzle-orm-rc`.
const SUFFIX = '?1.0'
const OURS = /^lakebase-native\/drizzle|\/dist\/drizzle\//
const DRIZZLE = /^drizzle-orm(?=\/|$)/

export async function resolve(specifier, context, next) {
  const asked = OURS.test(specifier) && specifier.endsWith(SUFFIX)
  const inside = context.parentURL?.includes('/dist/drizzle/') && context.parentURL.endsWith(SUFFIX)
  if (!asked && !inside) return next(specifier, context)
  const plain = asked ? specifier.slice(0, -SUFFIX.length) : specifier
  const resolved = await next(plain.replace(DRIZZLE, 'drizzle-orm-rc'), context)
  return resolved.url.includes('/dist/drizzle/') ? { ...resolved, url: resolved.url + SUFFIX } : resolved
}
