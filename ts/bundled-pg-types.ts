/** The copy of pg-types that comes with this package: scripts/core.mjs puts it into dist/core.js. */

import pgTypes = require('pg-types')

export = pgTypes
