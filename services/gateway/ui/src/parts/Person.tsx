/** Who did something: by name, else by the beginning of the id, with all of it on hover. */
import { personName } from '../people/people.ts'
import { isId, partsOf, whoOf } from '../people/words.ts'

/** `by` is what the API says: `user:…`, `service:…`, an id, or a name already. */
export function Person({ by }: { by: string }) {
  const who = whoOf(by, personName)
  const { id } = partsOf(by)
  return isId(id) && who.endsWith(id.slice(0, 8)) ? <span title={id}>{who}</span> : <>{who}</>
}
