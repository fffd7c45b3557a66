// Relational queries: `relations()` of drizzle-orm 0.45, `defineRelations()` of 1.0.
import { compare } from './support/comparison.mjs'

const setup = `
  create table users (id int primary key, name text, invited_by int references users);
  create table posts (id int primary key, title text, author_id int references users, at timestamptz, data jsonb, amount numeric, big bigint, tags text[]);
  create table comments (id int primary key, text text, post_id int references posts, author_id int references users);
  create table groups (id int primary key, name text);
  create table memberships (user_id int references users, group_id int references groups, primary key (user_id, group_id));
  insert into users select i, 'user ' || i, nullif(i - 1, 0) from generate_series(1, 10) i;
  insert into posts select i, 'post ' || i, 1 + i % 4, '2024-01-01T00:00:00Z'::timestamptz + i * interval '1 day', jsonb_build_object('n', i), i * 1.5,
    9007199254740000 + i, array['a', 'b ' || i] from generate_series(1, 12) i;
  insert into comments select i, case when i % 5 > 0 then 'comment ' || i end, 1 + i % 6, 1 + i % 10 from generate_series(1, 20) i;
  insert into groups values (1, 'one'), (2, 'two'), (3, 'three');
  insert into memberships select i, 1 + i % 3 from generate_series(1, 10) i`

const tablesOf = ({ pgTable, integer, text, timestamp, jsonb, numeric, bigint, primaryKey }) => ({
  users: pgTable('users', { id: integer().primaryKey(), name: text(), invitedBy: integer('invited_by') }),
  posts: pgTable('posts', {
    id: integer().primaryKey(),
    title: text(),
    authorId: integer('author_id'),
    at: timestamp({ withTimezone: true }),
    data: jsonb(),
    amount: numeric(),
    big: bigint({ mode: 'bigint' }),
    tags: text().array(),
  }),
  comments: pgTable('comments', { id: integer().primaryKey(), text: text(), postId: integer('post_id'), authorId: integer('author_id') }),
  groups: pgTable('groups', { id: integer().primaryKey(), name: text() }),
  memberships: pgTable('memberships', { userId: integer('user_id'), groupId: integer('group_id') }, (table) => [primaryKey({ columns: [table.userId, table.groupId] })]),
})

compare(
  ({ orm, core }) => {
    const { relations, sql, eq, gt } = orm
    const tables = tablesOf(core)
    const { users, posts, comments, groups, memberships } = tables
    const schema = {
      ...tables,
      usersRelations: relations(users, ({ one, many }) => ({
        inviter: one(users, { fields: [users.invitedBy], references: [users.id], relationName: 'inviter' }),
        posts: many(posts),
        memberships: many(memberships),
      })),
      postsRelations: relations(posts, ({ one, many }) => ({ author: one(users, { fields: [posts.authorId], references: [users.id] }), comments: many(comments) })),
      commentsRelations: relations(comments, ({ one }) => ({
        post: one(posts, { fields: [comments.postId], references: [posts.id] }),
        author: one(users, { fields: [comments.authorId], references: [users.id] }),
      })),
      groupsRelations: relations(groups, ({ many }) => ({ memberships: many(memberships) })),
      membershipsRelations: relations(memberships, ({ one }) => ({
        user: one(users, { fields: [memberships.userId], references: [users.id] }),
        group: one(groups, { fields: [memberships.groupId], references: [groups.id] }),
      })),
    }
    const inOrder = { orderBy: (table, { asc }) => asc(table.id) }
    return {
      setup,
      config: { schema },
      run: {
        findMany: (db) => db.query.posts.findMany(inOrder),
        findFirst: (db) => db.query.posts.findFirst({ where: eq(posts.id, 3) }),
        'findFirst, nothing': (db) => db.query.posts.findFirst({ where: eq(posts.id, 99) }),
        'with one': (db) => db.query.posts.findMany({ ...inOrder, with: { author: true } }),
        'with many': (db) => db.query.users.findMany({ ...inOrder, with: { posts: inOrder, inviter: true } }),
        'deeper': (db) => db.query.users.findMany({ ...inOrder, with: { posts: { ...inOrder, with: { comments: { ...inOrder, with: { author: { columns: { name: true } } } } } } } }),
        'through another table': (db) => db.query.groups.findMany({ ...inOrder, with: { memberships: { columns: {}, with: { user: true } } } }),
        'columns and extras': (db) =>
          db.query.posts.findMany({ ...inOrder, columns: { id: true, at: true }, extras: { loud: sql`upper(${posts.title})`.as('loud') }, limit: 3, offset: 1 }),
        'conditions within': (db) => db.query.users.findMany({ ...inOrder, with: { posts: { ...inOrder, where: gt(posts.id, 6), limit: 1 } } }),
        prepared: (db) => db.query.posts.findMany({ where: (table, { gt: greater }) => greater(table.id, sql.placeholder('id')), ...inOrder }).prepare('posts').execute({ id: 8 }),
        'in a transaction': (db) => db.transaction((tx) => tx.query.users.findFirst({ ...inOrder, with: { posts: inOrder } })),
        'in a nested transaction': (db) => db.transaction((tx) => tx.transaction((inner) => inner.query.users.findFirst({ ...inOrder, with: { inviter: true } }))),
        'error: in the server': (db) => db.query.posts.findMany({ where: sql`1 / 0 = 1` }),
      },
    }
  },
  ['0.45'],
)

compare(
  ({ orm, core }) => {
    const { defineRelations, sql } = orm
    const tables = tablesOf(core)
    const relations = defineRelations(tables, (r) => ({
      users: {
        inviter: r.one.users({ from: r.users.invitedBy, to: r.users.id }),
        posts: r.many.posts(),
        groups: r.many.groups({ from: r.users.id.through(r.memberships.userId), to: r.groups.id.through(r.memberships.groupId) }),
      },
      groups: { users: r.many.users() },
      posts: { author: r.one.users({ from: r.posts.authorId, to: r.users.id }), comments: r.many.comments({ from: r.posts.id, to: r.comments.postId }) },
      comments: { author: r.one.users({ from: r.comments.authorId, to: r.users.id }) },
    }))
    const inOrder = { orderBy: { id: 'asc' } }
    return {
      setup,
      config: { relations },
      run: {
        findMany: (db) => db.query.posts.findMany(inOrder),
        findFirst: (db) => db.query.posts.findFirst({ where: { id: 3 } }),
        'findFirst, nothing': (db) => db.query.posts.findFirst({ where: { id: 99 } }),
        'with one': (db) => db.query.posts.findMany({ ...inOrder, with: { author: true } }),
        'with many': (db) => db.query.users.findMany({ ...inOrder, with: { posts: inOrder, inviter: true } }),
        'deeper': (db) => db.query.users.findMany({ ...inOrder, with: { posts: { ...inOrder, with: { comments: { ...inOrder, with: { author: { columns: { name: true } } } } } } } }),
        'through another table': (db) => db.query.users.findMany({ ...inOrder, with: { groups: inOrder } }),
        'columns and extras': (db) => db.query.posts.findMany({ ...inOrder, columns: { id: true, at: true }, extras: { loud: (table) => sql`upper(${table.title})` }, limit: 3, offset: 1 }),
        'conditions on what it is related to': (db) => db.query.users.findMany({ ...inOrder, where: { posts: { id: { gt: 6 } }, OR: [{ name: { like: '%1' } }, { id: { in: [2, 3] } }] } }),
        'conditions within': (db) => db.query.users.findMany({ ...inOrder, with: { posts: { ...inOrder, where: { id: { gt: 6 } }, limit: 1 } } }),
        prepared: (db) => db.query.posts.findMany({ where: { id: { gt: sql.placeholder('id') } }, ...inOrder }).prepare('posts').execute({ id: 8 }),
        'in a transaction': (db) => db.transaction((tx) => tx.query.users.findFirst({ ...inOrder, with: { posts: inOrder } })),
        'error: in the server': (db) => db.query.posts.findMany({ where: { RAW: sql`1 / 0 = 1` } }),
      },
    }
  },
  ['1.0'],
)
