import { pieces } from '../format';

/** Log text: masked values as chips, unsafe characters as escapes. */
export function Raw({ text }: { text: string }) {
  return (
    <span className="raw log">
      {pieces(text).map((p, i) =>
        p.masked ? (
          <span key={i} className="mask" title="masked before it was stored">
            {p.masked} masked
          </span>
        ) : (
          p.text
        ),
      )}
    </span>
  );
}
