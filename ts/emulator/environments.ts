/** Environment variables for an app, by how it authenticates. They hold secrets of the emulator only. */

import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { googleWorkspace, serviceAccount } from './google.js'
import { clouds, platform, VAULT, type IdentityProviders } from './identity-providers.js'
import type { Settings } from './options.js'

/** How an app authenticates: `m2m` is `oauth-m2m`; the others are values of `authType`. */
export type EmulatedAuth =
  | 'm2m'
  | 'pat'
  | 'env-oidc'
  | 'file-oidc'
  | 'vercel-oidc'
  | 'github-oidc'
  | 'azure-devops-oidc'
  | 'metadata-service'
  | 'azure-client-secret'
  | 'azure-msi'
  | 'azure-workload-identity'
  | 'github-oidc-azure'
  | 'azure-key-vault'
  | 'google-credentials'
  | 'google-id'

/** Azure's clouds: the public one, the one for the US government, the one in China. */
export type EmulatedCloud = 'public' | 'us-government' | 'china'

export interface Surroundings {
  settings: Settings
  providers: IdentityProviders
  /** `https://…` of the workspace API, by the emulator's own name. */
  workspace: string
  /** `http://…` of what an app finds on its machine. */
  machine: string
  /** For files that a platform would write. */
  directory: string
}

/** The variables that tell who the app is, and where the workspace is. */
export function identityVariables(auth: EmulatedAuth, cloud: EmulatedCloud, around: Surroundings): Record<string, string> {
  const { settings, providers, workspace, machine } = around
  const id = { DATABRICKS_CLIENT_ID: settings.clientId }
  const audience = `${workspace}/oidc/v1/token`
  const there = { DATABRICKS_HOST: workspace }
  const [login, host] = clouds[cloud === 'public' ? 0 : cloud === 'us-government' ? 1 : 2]
  // Azure's and Google's names lead to the emulator through a proxy; the database's does not.
  const azure = { DATABRICKS_HOST: `https://${host}`, HTTPS_PROXY: machine }
  const google = { DATABRICKS_HOST: `https://${googleWorkspace}`, HTTPS_PROXY: machine }
  const application = { ARM_CLIENT_ID: platform.application, ARM_TENANT_ID: platform.tenant }
  const github = { ACTIONS_ID_TOKEN_REQUEST_URL: `${workspace}/github/token?api-version=2.0`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: platform.githubToken }
  const managed = { IDENTITY_ENDPOINT: `${machine}/msi/token`, IDENTITY_HEADER: platform.identityHeader }
  switch (auth) {
    case 'm2m':
      return { ...there, ...id, DATABRICKS_CLIENT_SECRET: settings.clientSecret }
    case 'pat':
      return { ...there, DATABRICKS_TOKEN: settings.personalAccessToken }
    case 'env-oidc':
      return { ...there, ...id, DATABRICKS_OIDC_TOKEN: providers.idToken({ audience }) }
    case 'file-oidc':
      return { ...there, ...id, DATABRICKS_OIDC_TOKEN_FILEPATH: file(around, 'oidc-token', providers.idToken({ audience })) }
    case 'vercel-oidc':
      return { ...there, ...id, VERCEL: '1', VERCEL_OIDC_TOKEN: providers.idToken({ issuer: 'https://oidc.vercel.com/emulator', audience }) }
    case 'github-oidc':
      return { ...there, ...id, ...github }
    case 'azure-devops-oidc': {
      const { project, hub, plan, job } = platform.pipeline
      const run = { SYSTEM_TEAMPROJECTID: project, SYSTEM_HOSTTYPE: hub, SYSTEM_PLANID: plan, SYSTEM_JOBID: job }
      return { ...there, ...id, ...run, SYSTEM_ACCESSTOKEN: platform.pipelineToken, SYSTEM_TEAMFOUNDATIONCOLLECTIONURI: `${workspace}/azure-devops/` }
    }
    case 'metadata-service':
      return { ...there, DATABRICKS_METADATA_SERVICE_URL: `${machine}/databricks/token` }
    case 'azure-client-secret':
      return { ...azure, ...application, ARM_CLIENT_SECRET: platform.applicationSecret }
    case 'azure-msi':
      return { ...azure, ARM_USE_MSI: 'true', ...managed }
    case 'azure-workload-identity': {
      const token = providers.idToken({ issuer: 'https://oidc.prod-aks.azure.com/emulator/', audience: 'api://AzureADTokenExchange' })
      const pod = { AZURE_CLIENT_ID: platform.application, AZURE_TENANT_ID: platform.tenant, AZURE_AUTHORITY_HOST: `https://${login}/` }
      return { ...azure, ...pod, AZURE_FEDERATED_TOKEN_FILE: file(around, 'azure-identity-token', token) }
    }
    case 'github-oidc-azure':
      return { ...azure, ...application, ...github }
    case 'azure-key-vault':
      return { ...azure, ...id, ...managed, KEY_VAULT_NAME: VAULT }
    case 'google-credentials':
      return { ...google, GOOGLE_CREDENTIALS: providers.google.keyFile() }
    case 'google-id':
      return {
        ...google,
        DATABRICKS_GOOGLE_SERVICE_ACCOUNT: serviceAccount,
        GOOGLE_APPLICATION_CREDENTIALS: file(around, 'application_default_credentials.json', providers.google.userFile()),
      }
  }
}

function file({ directory }: Surroundings, name: string, content: string): string {
  const path = join(directory, name)
  writeFileSync(path, content, { mode: 0o600 })
  return path
}
