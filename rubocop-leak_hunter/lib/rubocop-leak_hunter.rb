# frozen_string_literal: true

require "rubocop"
require_relative "rubocop/leak_hunter"
