# frozen_string_literal: true

module News
  # What can be read.
  class Article < ActiveRecord::Base
    self.table_name = "articles"

    # Makes the table, and so many articles.
    def self.publish(count)
      connection.create_table(:articles, force: true) { |table| table.string :title }
      insert_all!(Array.new(count) { |number| { title: "What happened on day #{number}" } })
    end
  end
end
