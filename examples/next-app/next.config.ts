import type { NextConfig } from 'next'

const config: NextConfig = {
  // The addon of lakebase-native is a file that bundlers cannot take along: the server loads the package from node_modules.
  serverExternalPackages: ['lakebase-native'],
  // For a container: BUILD_STANDALONE=1 npm run build. Vercel and Netlify need nothing.
  output: process.env.BUILD_STANDALONE ? 'standalone' : undefined,
}

export default config
