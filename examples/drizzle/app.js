import { drizzle } from 'lakebase-native/drizzle'
import * as schema from './schema.js'

const db = drizzle({ schema })

await db.transaction(async (tx) => {
  const [author] = await tx.insert(schema.authors).values({ name: 'Ada' }).returning()
  await tx.insert(schema.posts).values([{ authorId: author.id, title: 'Notes', tags: ['engine'] }, { authorId: author.id, title: 'More notes' }])
})

const [authors, count] = await Promise.all([db.query.authors.findMany({ with: { posts: { columns: { title: true } } } }), db.$count(schema.posts)])
console.log(JSON.stringify({ authors, count }))
await db.$client.end()
