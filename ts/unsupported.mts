/**
 * What bundlers get instead of the package for a browser, an edge runtime or a worker (`exports` in package.json): no addon runs there.
 * The missing file's name is the one text that they all print, and where each of them ends the build. A colon in it would make it a URL.
 */

import './lakebase-native runs only in Node.js - import it in server components, server actions and route handlers, not in client components, in middleware.ts (Next.js has proxy.ts) or with the edge runtime'
