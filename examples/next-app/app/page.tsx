import { Suspense } from 'react'
import { AddItem } from '@/components/add-item'
import { ItemList } from '@/components/item-list'
import { ListSkeleton } from '@/components/list-skeleton'
import { PageHeader } from '@/components/page-header'
import { Pagination } from '@/components/pagination'
import { listItems } from '@/lib/items'
import { pageNumber } from '@/lib/page-number'

export default async function Page({ searchParams }: { searchParams: Promise<{ page?: string | string[] }> }) {
  const page = pageNumber((await searchParams).page)
  return (
    <>
      <PageHeader />
      <AddItem />
      {/* The form is sent at once; the list follows in the same response when the database has answered. */}
      <Suspense key={page} fallback={<ListSkeleton />}>
        <Items page={page} />
      </Suspense>
    </>
  )
}

async function Items({ page: wanted }: { page: number }) {
  const { items, total, page, pages } = await listItems(wanted)
  return (
    <section aria-labelledby="list-heading" className="mt-10">
      <div className="mb-3 flex items-baseline justify-between">
        <h2 id="list-heading" className="text-base font-semibold">
          Items
        </h2>
        <p className="muted tabular-nums">{total === 1 ? '1 item' : `${total.toLocaleString('en')} items`}</p>
      </div>
      <ItemList items={items} />
      <Pagination page={page} pages={pages} />
    </section>
  )
}
