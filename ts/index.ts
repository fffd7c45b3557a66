/** `lakebase-native`: pools and credentials of Databricks Lakebase for Node.js. */

export { Client } from './client.js'
export {
  AuthenticationError,
  ConfigurationError,
  ConnectionError,
  CredentialError,
  InternalError,
  LakebaseError,
  ProtocolError,
  ResultError,
  TimeoutError,
  type ConfigurationProblem,
} from './errors.js'
export type { AuthProvider, OidcToken, WorkspaceToken } from './auth/questions.js'
export {
  createTokenRefreshCallback,
  generateDatabaseCredential,
  getLakebaseOrmConfig,
  getLakebasePgConfig,
  getUsernameWithApiLookup,
  getWorkspaceClient,
  RequestedClaimsPermissionSet,
  type DatabaseCredential,
  type DriverTelemetry,
  type GenerateDatabaseCredentialRequest,
  type LakebasePgConfig,
  type LakebasePoolConfig,
  type OrmConfig,
  type RequestedClaims,
  type RequestedResource,
  type TokenRefreshDeps,
} from './databricks-lakebase.js'
export { getCredential, getDatabaseUrl, getToken, type Credential } from './credential.js'
export { createLakebasePool, LakebasePool, type FetchedToken } from './lakebase.js'
export type { AuthenticationOptions, AuthType, Claim, ConnectionOptions, PoolingOptions, SslMode, SslOptions, TokenOptions } from './config/options.js'
export type { LakebasePoolOptions, UserOptions } from './lakebase-options.js'
export type { PoolHooks } from './pool/options.js'
export type { ConnectionParameters, Password } from './config/password.js'
export { Pool, type PoolClient, type Release } from './pool/pool.js'
export type { ClientConfig } from './interfaces/client.js'
export type { PoolConfig, PoolOptions } from './interfaces/pool.js'
export type { QueryArrayConfig, QueryArrayResult, QueryConfig, QueryResult, QueryResultRow, Submittable } from './interfaces/query.js'
export { Query, type QueryCallback } from './query.js'
export { Result } from './result.js'
export type { Field } from './rows.js'
export type { TransactionOptions } from './pool/transaction.js'
export { types, TypeOverrides, type TypeParser, type TypeSource } from './types.js'
export type { ForwardedRequest, NodeHeaders, WebHeaders } from './users/forwarded.js'
export type { PoolOfUser, UserIdentity, UserPoolLimits } from './users/user-pools.js'
export type { DatabricksOptions, Logger, LoggerConfig, WorkspaceClient, WorkspaceClientConfig, WorkspaceRequest } from './workspace-client.js'
