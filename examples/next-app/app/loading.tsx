import { ListSkeleton } from '@/components/list-skeleton'
import { PageHeader } from '@/components/page-header'

export default function Loading() {
  return (
    <>
      <PageHeader />
      <div className="card h-44 animate-pulse motion-reduce:animate-none sm:h-33" />
      <ListSkeleton />
    </>
  )
}
