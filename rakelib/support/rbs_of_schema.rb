# frozen_string_literal: true

require "json"

# The types of results in RBS, made of the JSON Schema of results. Where a key may be missing, a record is a Hash: only
# RBS 3 and later know records of such keys.
class RBSOfSchema
  WIDTH = 118
  SCALARS = { "integer" => "Integer", "number" => "Float", "string" => "String", "boolean" => "bool" }.freeze

  # @param schema [String] the path of a JSON Schema
  def initialize(schema)
    @schema = JSON.parse(File.read(schema))
  end

  # @return [String]
  def to_s
    types = { **@schema["definitions"].except("address"), "result" => @schema }
    <<~RBS
      # Made of lib/leak_hunter/diff/result.schema.json: rake schema
      module LeakHunter
        module Diff
      #{types.map { |name, schema| "    type #{name} = #{layout(schema)}" }.join("\n")}
        end
      end
    RBS
  end

  private

  # Long records are broken into lines.
  def layout(schema)
    line = type(schema)
    return line if line.length < WIDTH - 30 || schema["type"] != "object" || partial?(schema)

    lines = members(schema).each_with_object([+""]) do |member, all|
      all << +"" if all.last.length + member.length > WIDTH - 8
      all.last << "#{member}, "
    end
    "{\n#{lines.map { |it| "      #{it.strip}" }.join("\n").delete_suffix(",")}\n    }"
  end

  def type(schema)
    return "#{type(schema["anyOf"].first)}?" if schema["anyOf"]
    return reference(schema["$ref"]) if schema["$ref"]
    return enum(schema["enum"]) if schema["enum"]

    kind, null = schema["type"]
    "#{of_kind(kind, schema)}#{"?" if null}"
  end

  def of_kind(kind, schema)
    case kind
    when "array" then "Array[#{type(schema["items"])}]"
    when "object" then partial?(schema) ? hash_of(schema) : "{ #{members(schema).join(", ")} }"
    else SCALARS.fetch(kind)
    end
  end

  def partial?(schema) = (schema["properties"].keys - schema["required"]).any?

  def hash_of(schema)
    "Hash[Symbol, #{schema["properties"].values.map { |member| type(member) }.uniq.join(" | ")}]"
  end

  def members(schema) = schema["properties"].map { |name, member| "#{name}: #{type(member)}" }

  def reference(path)
    name = path.split("/").last
    name == "address" ? "String" : name
  end

  def enum(values)
    return "Integer" if values.all?(Integer)

    "String#{"?" if values.include?(nil)}"
  end
end
