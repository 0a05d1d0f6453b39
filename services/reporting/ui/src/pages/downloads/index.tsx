import { useState } from "react";

import { useWords } from "../../app/words";
import { Page, PageSchema } from "../../gen/insights/reporting/v1/words_pb";
import { texts } from "../../app/texts";
import { ExportList } from "./ExportList";
import { NewExport } from "./NewExport";

/** Files of reports: ordering them, how far they are, and fetching them. */
export function DownloadsPage() {
  const { title } = useWords();
  const [ordered, setOrdered] = useState(0);
  return (
    <>
      <div className="title">
        <div>
          <h1>{title(PageSchema, Page.DOWNLOAD_REPORTS)}</h1>
          <p className="subtitle">{texts().downloadsHint}</p>
        </div>
      </div>
      <div className="sections">
        <NewExport made={() => setOrdered((count) => count + 1)} />
        <ExportList ordered={ordered} />
      </div>
    </>
  );
}
