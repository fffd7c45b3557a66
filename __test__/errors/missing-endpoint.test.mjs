// The endpoint or instance that is configured does not exist.
import { deploy } from '../support/deployment.mjs'
import { refusal } from '../support/refusals.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

test('an endpoint of Autoscaling', () => {
  const LAKEBASE_ENDPOINT = 'projects/emulator/branches/production/endpoints/no-such-endpoint'
  app.environment({ LAKEBASE_ENDPOINT })
  return refusal(app, {}, {
    name: 'CredentialError',
    code: 'NOT_FOUND',
    status: 404,
    message: /no-such-endpoint.* does not exist/,
    hint: /LAKEBASE_ENDPOINT.*no-such-endpoint/,
  })
})

test('an instance of Provisioned', () => {
  app.environment({ LAKEBASE_INSTANCE_NAME: 'no-such-instance' }, { tier: 'provisioned' })
  return refusal(app, {}, {
    name: 'CredentialError',
    code: 'NOT_FOUND',
    status: 404,
    message: /no-such-instance.* does not exist/,
    hint: /LAKEBASE_INSTANCE_NAME.*no-such-instance/,
  })
})

test('an endpoint of a form that cannot be is found before anything is asked', () => {
  app.environment({ LAKEBASE_ENDPOINT: 'emulator' })
  return refusal({ ...app, pool: (options) => lazily(() => app.pool(options)) }, {}, {
    name: 'ConfigurationError',
    code: 'CONFIGURATION_ERROR',
    message: /LAKEBASE_ENDPOINT.*"emulator".*projects/s,
  })
})

/** A pool whose construction fails shows it at the first query. */
function lazily(make) {
  return { query: async () => make(), totalCount: 0, idleCount: 0, waitingCount: 0 }
}
