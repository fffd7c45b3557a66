/**
 * What bundlers get instead of the package for a browser, an edge runtime or a worker (`exports` in package.json): no addon runs there.
 * Their error for a module that they cannot find is the one text that they all print, and where each of them ends the build.
 */

import 'lakebase-native runs only in Node.js: import it in server code (server actions, route handlers, server components), not in a client component, and not where runtime is edge (use proxy.ts in place of middleware.ts)'
