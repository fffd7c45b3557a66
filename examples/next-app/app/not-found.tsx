import Link from 'next/link'
import { PageHeader } from '@/components/page-header'

export default function NotFound() {
  return (
    <>
      <PageHeader />
      <div className="card p-6 sm:p-8">
        <h2 className="text-base font-semibold">There is no such page</h2>
        <Link href="/" className="button-primary mt-6">
          Show the items
        </Link>
      </div>
    </>
  )
}
