# frozen_string_literal: true

desc "Write the types of results in sig/result.rbs, from the JSON Schema of results"
task :schema do
  require_relative "support/rbs_of_schema"

  File.write("sig/result.rbs", RBSOfSchema.new("lib/leak_hunter/diff/result.schema.json").to_s)
end
