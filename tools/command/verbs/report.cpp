#include <fmt/format.h>

#include "libcompress/pipeline/pipeline.h"
#include "tools/command/summary.h"
#include "tools/command/verb.h"

namespace compress::command {

Verb report_verb() {
  return {"report", "Write report.json and report.html of a run again, from what its finished steps recorded",
          "libcompress report runs/demo", [](CLI::App& app) {
            auto folder = std::make_shared<std::string>();
            app.add_option("folder", *folder, "run folder")->required();
            return [=](const Session& session) {
              const RunReport report = rebuild_report(*folder);
              session.print(to_json(report), summary_text(report, *folder));
              return 0;
            };
          }};
}

}  // namespace compress::command
