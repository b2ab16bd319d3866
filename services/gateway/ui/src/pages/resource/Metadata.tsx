/** Metadata, by key. */
import { Fragment } from 'preact'
import { metadataPath, literal } from '../../cel/clauses.ts'
import { Links } from '../../parts/Links.tsx'
import { linksOf } from '../../parts/links.ts'
import { href } from '../../router/location.ts'

export function Metadata({ metadata }: { metadata: Readonly<Record<string, string>> }) {
  const keys = Object.keys(metadata).sort()
  if (!keys.length) return <p class="quiet">It has no metadata.</p>
  return (
    <>
      {linksOf(metadata).length ? (
        <div class="row-of">
          <Links links={linksOf(metadata)} />
        </div>
      ) : null}
      <dl class="facts">
        {keys.map((key) => (
          <Fragment key={key}>
            <dt>{key}</dt>
            <dd>
              <a href={href('resources', {}, { q: `${metadataPath(key)} == ${literal(metadata[key] ?? '')}` })} title="All resources with this">
                {metadata[key] || <span class="quiet">empty</span>}
              </a>
            </dd>
          </Fragment>
        ))}
      </dl>
    </>
  )
}
